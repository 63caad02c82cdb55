// Which webhooks did not get across, by GitHub's own record, and how are they sent again?
import { z } from 'zod';
import type { DeliveryAttempt } from '../../workflows/model/healing.ts';
import type { GitHub } from './client.ts';

const attempts = z.array(
  z.object({
    id: z.int(),
    guid: z.string(),
    delivered_at: z.iso.datetime({ offset: true }),
    status: z.string(),
    event: z.string(),
    repository_id: z.int().nullish(),
  }),
);

export type ListedAttempt = DeliveryAttempt & { readonly repositoryId: number | null };

/** GitHub's largest page. */
const pageSize = 100;
/** More attempts than these since the last look are a storm: what is lost in it is found by comparing. */
const maxPages = 10;

/** Newest first, as far back as `since` (ISO 8601); null: as far as the pages go. `at`: GitHub's clock. */
export async function listDeliveries(
  github: Pick<GitHub, 'app'>,
  since: string | null,
): Promise<{ readonly at: string; readonly attempts: readonly ListedAttempt[] }> {
  const found: ListedAttempt[] = [];
  let at: string | null = null;
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await github.app('GET /app/hook/deliveries', {
      per_page: pageSize,
      ...(cursor === null ? {} : { cursor }),
    });
    at ??= answer.at;
    found.push(...attempts.parse(answer.data).map(attemptOf));
    const oldest = found.at(-1)?.at;
    cursor = answer.next;
    const enough = since !== null && oldest !== undefined && Date.parse(oldest) < Date.parse(since);
    if (cursor === null || enough) break;
  }
  return { at: at ?? new Date().toISOString(), attempts: found };
}

/** `status` is `OK` for every 2xx; the filter `status=failure` of the API leaves out what was never answered. */
const attemptOf = (attempt: z.infer<typeof attempts>[number]): ListedAttempt => ({
  id: attempt.id,
  guid: attempt.guid,
  at: new Date(attempt.delivered_at).toISOString(),
  ok: attempt.status === 'OK',
  event: attempt.event,
  repositoryId: attempt.repository_id ?? null,
});

/** GitHub answers before it sends. */
export async function redeliver(github: Pick<GitHub, 'app'>, id: number): Promise<void> {
  await github.app('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: id });
}
