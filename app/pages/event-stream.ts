// How does an open page hear what a run prints?
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateHeaders } from './private-headers.ts';

/** Finished HTML for what came after a number, and the next number; or that the page is to be loaded again. */
export type News =
  | { readonly kind: 'lines'; readonly html: string; readonly after: number }
  | { readonly kind: 'over' };

/** A run writes its log about once a second. */
const pollMs = 1_000;
/** Each asks the database once in `pollMs`. Whoever comes later loads the page again and again, without a stream. */
const maxStreams = 100;
/** Then the browser connects again by itself, and its link is checked again. */
const maxStreamMs = 15 * 60_000;
/** Proxies cut a connection on which nothing is said for a minute. */
const quietMs = 15_000;
/** How soon a browser connects again. */
const retryMs = 2_000;

export type Streams = {
  /** Server-sent events until there is nothing more to tell; `news` answers with what came after a number. */
  readonly serve: (
    request: IncomingMessage,
    response: ServerResponse,
    news: (after: number) => Promise<News>,
  ) => Promise<void>;
  /** Ends them all, and takes no new ones. */
  readonly close: () => void;
};

/** Source: html.spec.whatwg.org/multipage/server-sent-events.html */
export function createStreams(): Streams {
  const open = new Set<AbortController>();
  let closed = false;
  return {
    serve: async (request, response, news) => {
      if (closed || open.size >= maxStreams) {
        response.writeHead(503, { ...privateHeaders, 'retry-after': '10' }).end();
        return;
      }
      response.writeHead(200, {
        ...privateHeaders,
        'content-type': 'text/event-stream; charset=utf-8',
        // nginx would keep events back until it has a page full of them.
        'x-accel-buffering': 'no',
      });
      if (request.method === 'HEAD') {
        response.end();
        return;
      }
      const ending = new AbortController();
      response.once('close', () => ending.abort());
      open.add(ending);
      try {
        await tell(response, afterOf(request), news, ending.signal);
      } catch (error) {
        if (!ending.signal.aborted) throw error;
      } finally {
        open.delete(ending);
        response.end();
      }
    },
    close: () => {
      closed = true;
      for (const ending of open) ending.abort();
    },
  };
}

/** A browser that connects again says itself where it was. */
function afterOf({ url, headers }: IncomingMessage): number {
  const asked = URL.parse(url ?? '', 'http://localhost')?.searchParams.get('after');
  const text = headers['last-event-id'] ?? asked ?? '';
  return /^\d{1,9}$/.test(String(text)) ? Number(text) : -1;
}

async function tell(
  response: ServerResponse,
  first: number,
  readNews: (after: number) => Promise<News>,
  signal: AbortSignal,
): Promise<void> {
  const until = Date.now() + maxStreamMs;
  let [after, saidAt] = [first, Date.now()];
  response.write(`retry: ${retryMs}\n\n`);
  while (Date.now() < until) {
    const news = await readNews(after);
    if (news.kind === 'over') {
      response.write('event: end\ndata:\n\n');
      return;
    }
    const text = eventText(news, after, Date.now() - saidAt > quietMs);
    if (text !== '') {
      saidAt = Date.now();
      if (!response.write(text)) await once(response, 'drain', { signal });
    }
    after = news.after;
    await sleep(pollMs, undefined, { signal });
  }
}

function eventText(news: Extract<News, { kind: 'lines' }>, after: number, isQuiet: boolean): string {
  if (news.after === after) return isQuiet ? ':\n\n' : '';
  const data = news.html.split('\n').map((line) => `data: ${line}\n`);
  return `event: log\nid: ${news.after}\n${data.join('')}\n`;
}
