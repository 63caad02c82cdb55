// How long does a merge queue wait for the checks of a group?
import { z } from 'zod';
import type { MergeGroup } from '../../workflows/model/merge-group.ts';
import type { GitHub } from './client.ts';

const query = `query($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) {
    mergeQueue(branch: $branch) { configuration { checkResponseTimeout } }
  }
}`;
const answerSchema = z.object({
  repository: z
    .object({
      mergeQueue: z
        .object({
          configuration: z.object({ checkResponseTimeout: z.number().positive().nullable() }).nullable(),
        })
        .nullable(),
    })
    .nullable(),
});

/**
 * Minutes, as configured for the group's base branch; null where there is no such queue (any more) or it does not say.
 * Source: docs.github.com/graphql/reference/objects#mergequeueconfiguration.
 */
export async function readQueueLimit(
  github: Pick<GitHub, 'graphql'>,
  { repository: { owner, name, installationId }, base: branch }: Pick<MergeGroup, 'repository' | 'base'>,
): Promise<number | null> {
  const { data } = await github.graphql(installationId, query, { owner, name, branch });
  const { repository } = answerSchema.parse(data);
  return repository?.mergeQueue?.configuration?.checkResponseTimeout ?? null;
}
