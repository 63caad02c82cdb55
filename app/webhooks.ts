// How does a webhook get in? Checked, capped, handed to Temporal, and only then answered.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createNodeMiddleware, Probot, ProbotOctokit } from 'probot';
import { Counter } from 'prom-client';
import type { Repository } from '../workflows/model/repository.ts';
import type { Incoming } from './events/parse.ts';
import { parse } from './events/parse.ts';
import { logAbout, probotLogger } from './log.ts';
import { readBody } from './request-body.ts';

const webhookPath = '/api/github/webhooks';
/** GitHub sends nothing larger. Source: docs.github.com/webhooks/webhook-events-and-payloads#payload-cap */
const maxPayloadBytes = 25 * 1024 * 1024;

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
        const messages = parse(name, id, payload);
        received.inc({ event: name, message: messages.length > 0 ? 'yes' : 'no' });
        await Promise.all(messages.map(deliver));
        for (const message of messages)
          logAbout(log, contextOf(id, message)).info({ event: name }, 'delivered');
        if (messages.length === 0) log.debug({ delivery: id, event: name }, 'nothing to do');
      });
    },
    { probot, webhooksPath: webhookPath },
  );
  return async (request, response) => {
    if (request.url?.split('?')[0] !== webhookPath) return false;
    const body = await readBody(request, maxPayloadBytes);
    if (body === null) {
      response.writeHead(413, { connection: 'close' }).end('The payload is larger than GitHub ever sends.\n');
      return true;
    }
    // The middleware takes a body that was read already, so that the cap above holds.
    Object.assign(request, { body });
    await middleware(request, response);
    return true;
  };
}

function contextOf(delivery: string, incoming: Incoming) {
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

function repositoryOf(incoming: Incoming): Repository {
  if ('ref' in incoming) return incoming.ref.repository;
  return 'group' in incoming ? incoming.group.repository : incoming.repository;
}
