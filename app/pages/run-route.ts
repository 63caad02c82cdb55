// How does a browser get the page of a run?
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RunId } from '../../workflows/model/identifiers.ts';
import { parseRunId } from '../../workflows/model/identifiers.ts';
import type { Handler } from '../webhooks.ts';
import type { News, Streams } from './event-stream.ts';
import { privateHeaders } from './private-headers.ts';
import type { RunLinks } from './run-links.ts';

/** A document in pieces, with the style and the script that it holds: nothing else of it may run. */
type Page = { readonly html: Iterable<string>; readonly style: string; readonly script: string | null };

/** What there is to see. `run` is null where there is no such run; `events` is where its page asks for news. */
export type RunPages = {
  readonly run: (id: RunId, events: string) => Promise<Page | null>;
  readonly news: (id: RunId, after: number) => Promise<News>;
  readonly notice: (notice: 'unknown' | 'expired' | 'trouble') => Page;
};

export type RunRoute = {
  readonly pages: RunPages;
  readonly links: Pick<RunLinks, 'check'>;
  readonly streams: Streams;
  readonly log: Pick<Logger, 'warn'>;
};

const path = /^\/runs\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\/events)?$/;

/** Answers everything below `/runs/`, to whoever has a signed link. */
export function createRunRoute(route: RunRoute): Handler {
  return async (request, response) => {
    const url = URL.parse(request.url ?? '', 'http://localhost');
    if (url === null || !url.pathname.startsWith('/runs/')) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return true;
    }
    try {
      await answer(route, request, response, url);
    } catch (error) {
      if (response.headersSent) throw error;
      route.log.warn({ err: error }, 'a page could not be made');
      await send(request, response, 503, route.pages.notice('trouble'));
    }
    return true;
  };
}

async function answer(
  { pages, links, streams }: RunRoute,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const [, id, events] = path.exec(url.pathname) ?? [];
  if (id === undefined) return send(request, response, 404, pages.notice('unknown'));
  const run = parseRunId(id);
  const verdict = links.check(run, url.searchParams);
  if (verdict === 'expired') return send(request, response, 410, pages.notice('expired'));
  if (verdict === 'wrong') return send(request, response, 404, pages.notice('unknown'));
  if (events !== undefined) return streams.serve(request, response, (after) => pages.news(run, after));
  const page = await pages.run(run, `${id}/events${url.search}`);
  if (page === null) return send(request, response, 404, pages.notice('unknown'));
  return send(request, response, 200, page);
}

/** What a socket takes at once; smaller pieces would cost a turn each. */
const pieceLength = 64 * 1024;

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  page: Page,
): Promise<void> {
  response.writeHead(status, { ...headers, 'content-security-policy': policy(page) });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // A reader who leaves half way is no failure.
  await pipeline(Readable.from(pieces(page.html)), response).catch(() => undefined);
}

/** A page of many megabytes must not keep webhooks waiting while it is made. */
async function* pieces(html: Iterable<string>): AsyncGenerator<string> {
  let piece = '';
  for (const part of html) {
    piece += part;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
    await turn();
  }
  yield piece;
}

const headers = { ...privateHeaders, 'content-type': 'text/html; charset=utf-8' } as const;

function policy({ style, script }: Page): string {
  return [
    "default-src 'none'",
    `style-src ${digest(style)}`,
    `script-src ${script === null ? "'none'" : digest(script)}`,
    `connect-src ${script === null ? "'none'" : "'self'"}`,
    // The empty icon, so that no browser asks for one.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
