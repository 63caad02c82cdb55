// Which groups of merge queues wait for checks that have not even begun?
import { z } from 'zod';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { MergeGroup } from '../../workflows/model/merge-group.ts';
import type { GitHub } from './client.ts';
import { listOf } from './pull-request-facts.ts';

/** GitHub's largest page of `nodes(ids:)`. */
const pageSize = 100;

const query = `query($ids: [ID!]!, $appId: Int!) {
  nodes(ids: $ids) {
    ... on PullRequest {
      number baseRefName
      mergeQueueEntry {
        state position enqueuedAt
        baseCommit { oid }
        headCommit {
          oid committedDate
          checkSuites(first: 10, filterBy: { appId: $appId }) { nodes { checkRuns(first: 1) { totalCount } } }
        }
      }
    }
  }
}`;

const commit = z.object({ oid: z.string() });
const answer = z.object({
  nodes: z.array(
    z
      .object({
        number: z.int(),
        baseRefName: z.string(),
        mergeQueueEntry: z
          .object({
            state: z.string(),
            position: z.int(),
            enqueuedAt: z.iso.datetime({ offset: true }),
            baseCommit: commit.nullable(),
            headCommit: commit
              .extend({
                committedDate: z.iso.datetime({ offset: true }),
                checkSuites: listOf(z.object({ checkRuns: z.object({ totalCount: z.int() }).nullable() })),
              })
              .nullable(),
          })
          .nullable(),
      })
      .nullable(),
  ),
});

export type UnansweredGroup = Omit<MergeGroup, 'repository'> & Required<Pick<MergeGroup, 'askedAt'>>;
type Entry = UnansweredGroup & { readonly position: number };

/**
 * Of these pull requests, by node id, each group once. Several of them may stand in the queue with one head: the last is
 * what the group is named after, and what the first stands on is what the group stands on.
 * Source: docs.github.com/graphql/reference/objects#mergequeueentry.
 */
export async function readUnansweredGroups(
  { github, appId }: { readonly github: Pick<GitHub, 'graphql'>; readonly appId: number },
  installationId: InstallationId,
  nodeIds: readonly string[],
): Promise<readonly UnansweredGroup[]> {
  const entries: Entry[] = [];
  for (let start = 0; start < nodeIds.length; start += pageSize) {
    const ids = nodeIds.slice(start, start + pageSize);
    const { data } = await github.graphql(installationId, query, { ids, appId });
    entries.push(...answer.parse(data).nodes.flatMap((node) => (node === null ? [] : entryOf(node))));
  }
  const byHead = Map.groupBy(entries, ({ headSha }) => headSha);
  return [...byHead.values()].flatMap(groupOf);
}

function groupOf(entries: readonly Entry[]): readonly UnansweredGroup[] {
  const inOrder = [...entries].sort((left, right) => left.position - right.position);
  const [first, last] = [inOrder[0], inOrder.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { position: _, ...group } = last;
  const askedAt = newest(entries.map((entry) => entry.askedAt));
  return [{ ...group, baseSha: first.baseSha, askedAt }];
}

/** Of these times (ISO 8601), in UTC. */
const newest = (times: readonly string[]): string =>
  new Date(Math.max(...times.map(Date.parse))).toISOString();

/** None where nothing waits, or where our checks stand there, whatever they say. */
function entryOf({
  number,
  baseRefName: base,
  mergeQueueEntry: entry,
}: NonNullable<z.infer<typeof answer>['nodes'][number]>): readonly Entry[] {
  if (entry?.state !== 'AWAITING_CHECKS' || entry.headCommit === null || entry.baseCommit === null) return [];
  const { oid, committedDate, checkSuites } = entry.headCommit;
  if (checkSuites.some(({ checkRuns }) => (checkRuns?.totalCount ?? 0) > 0)) return [];
  const [headSha, baseSha] = [parseSha(oid), parseSha(entry.baseCommit.oid)];
  // What waits in the queue for long may be put together, and asked about, only now.
  const askedAt = newest([entry.enqueuedAt, committedDate]);
  return [{ headSha, number, baseSha, base, askedAt, position: entry.position }];
}
