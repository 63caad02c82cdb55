// How does a webhook get in? Checked, capped, handed to Temporal, and only then answered.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createNodeMiddleware, Probot, ProbotOctokit } from 'probot';
import { Counter } from 'prom-client';
import type { InstallationNews } from '../workflows/messages.ts';
import type { Repository } from '../workflows/model/repository.ts';
import type { Incoming } from './events/parse.ts';
import { parse } from './events/parse.ts';
import { logAbout, probotLogger } from './log.ts';
import { createBodyReader } from './request-body.ts';

const webhookPath = '/api/github/webhooks';
/** GitHub sends nothing larger. Source: docs.github.com/webhooks/webhook-events-and-payloads#payload-cap */
const maxPayloadBytes = 25 * 1024 * 1024;
/** Nobody has to be GitHub to send a body: it is read before its signature can be known. */
const maxPayloadBytesAtOnce = 4 * maxPayloadBytes;

const received = new Counter({
  name: 'hatchet_webhooks_total',
  help: 'Webhooks with a good signature, by event, and whether they carried a message for a workflow.',
  labelNames: ['event', 'message'],
});

export type WebhookSettings = {
  readonly secret: string;
  readonly deliver: (incoming: Incoming) => Promise<void>;
  readonly log: Logger;
};

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** True when it answered. A delivery that Temporal did not accept is answered 500, so that it can be found again. */
export async function createWebhooks(settings: WebhookSettings): Promise<Handler> {
  const { secret, deliver, log } = settings;
  const probot = new Probot({
    // Handlers do not talk to GitHub, so that this process needs no key of the App; Probot wants something in its place.
    githubToken: 'none',
    secret,
    log: probotLogger(log) as never,
    // A client here would only add its own retries.
    Octokit: ProbotOctokit.defaults((defaults: object) => ({ ...defaults, retry: { enabled: false } })),
  });
  const middleware = await createNodeMiddleware(
    (app) => {
      app.onAny(async ({ id, name, payload }) => {
        const messages = parseSigned(name, id, payload);
        received.inc({ event: name, message: messages.length > 0 ? 'yes' : 'no' });
        await Promise.all(messages.map(deliver));
        for (const message of messages)
          logAbout(log, contextOf(id, message)).info({ event: name }, 'delivered');
        if (messages.length === 0) log.debug({ delivery: id, event: name }, 'nothing to do');
      });
    },
    { probot, webhooksPath: webhookPath },
  );
  const read = createBodyReader({ maxBytes: maxPayloadBytes, maxBytesAtOnce: maxPayloadBytesAtOnce });
  return async (request, response) => {
    if (request.url?.split('?')[0] !== webhookPath) return false;
    const body = couldBeGithub(request) ? await read(request) : unread;
    if (body.kind === 'broken-off') return true;
    // What is left of the body is nobody's next request.
    if (body.kind !== 'text' || body === unread) response.setHeader('connection', 'close');
    if (body.kind !== 'text') {
      const [status, why] = refusals[body.kind];
      response.writeHead(status).end(why);
      return true;
    }
    // Probot looks for properties in whatever it is.
    if (body !== unread && !isObject.test(body.text)) {
      response.writeHead(400).end('The payload is not a JSON object.\n');
      return true;
    }
    // The middleware takes a body that was read already, so that the caps above hold.
    Object.assign(request, { body: body.text });
    await middleware(request, response);
    return true;
  };
}

/** GitHub signed it, and still it is not what GitHub describes: sending it again would change nothing. */
function parseSigned(...webhook: Parameters<typeof parse>): ReturnType<typeof parse> {
  try {
    return parse(...webhook);
  } catch (cause) {
    throw Object.assign(new Error('The payload lacks what it should carry', { cause }), { status: 422 });
  }
}

/** The middleware refuses everything else, whatever is in it. */
function couldBeGithub({ method, headers }: IncomingMessage): boolean {
  const event = String(headers['x-github-event']);
  // The name is not signed, and the library looks it up as it is.
  const isEvent = /^[a-z][a-z_]*$/.test(event) && !(event in {});
  return method === 'POST' && isEvent && /^sha256=[0-9a-f]{64}$/.test(String(headers['x-hub-signature-256']));
}

/** As far as its first character tells; the middleware parses it. */
const isObject = /^[\t\n\r ]*\{/;

const unread = { kind: 'text', text: '' } as const;

const refusals = {
  'too-large': [413, 'The payload is larger than GitHub ever sends.\n'],
  'no-room': [503, 'Too much is being received at this moment.\n'],
} as const;

function contextOf(delivery: string, incoming: Incoming) {
  if ('installationId' in incoming) return { delivery };
  const { owner, name } = repositoryOf(incoming);
  return {
    delivery,
    repository: `${owner}/${name}`,
    ...('ref' in incoming ? { pullRequest: incoming.ref.number } : {}),
    ...('group' in incoming ? { sha: incoming.group.headSha } : {}),
    ...('head' in incoming ? { sha: incoming.head } : {}),
    ...('pullRequest' in incoming ? { sha: incoming.pullRequest.head } : {}),
  };
}

function repositoryOf(incoming: Exclude<Incoming, InstallationNews>): Repository {
  if ('ref' in incoming) return incoming.ref.repository;
  return 'group' in incoming ? incoming.group.repository : incoming.repository;
}
