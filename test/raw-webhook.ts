// How does a test knock at the webhook's door itself, also as GitHub never would?
import { createHmac, randomUUID } from 'node:crypto';

export type RawWebhook = {
  readonly event?: string;
  readonly guid?: string;
  readonly body: string;
  /** Signs the body; `null` leaves the signature out. */
  readonly secret: string | null;
  /** Added last; an empty value takes a header away. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** The status of the answer. */
export async function knock(appUrl: string, webhook: RawWebhook): Promise<number> {
  const headers = Object.entries({ ...headersOf(webhook), ...webhook.headers });
  const response = await fetch(`${appUrl}/api/github/webhooks`, {
    method: 'POST',
    headers: Object.fromEntries(headers.filter(([, value]) => value !== '')),
    body: webhook.body,
  });
  await response.text();
  return response.status;
}

function headersOf({ event = 'pull_request', guid = randomUUID(), body, secret }: RawWebhook) {
  const signature = secret === null ? '' : createHmac('sha256', secret).update(body).digest('hex');
  return {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-hub-signature-256': signature === '' ? '' : `sha256=${signature}`,
  };
}
