// Which is the default branch of a repository, and where does it stand?
import { z } from 'zod';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { parseSha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';

/** `name`: without `refs/heads/`; `tip`: its newest commit. */
export type DefaultBranch = { readonly name: string; readonly tip: Sha };

/** As GraphQL's `defaultBranchRef { name target { oid } }` answers. */
export const defaultBranchRef = z.object({
  name: z.string(),
  target: z.object({ oid: z.string() }).nullable(),
});

const query = `query($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { defaultBranchRef { name target { oid } } }
}`;
const answerSchema = z.object({
  repository: z.object({ defaultBranchRef: defaultBranchRef.nullable() }).nullable(),
});

export function defaultBranchOf(found: z.infer<typeof defaultBranchRef> | null): DefaultBranch | null {
  if (found === null || found.target === null) return null;
  return { name: found.name, tip: parseSha(found.target.oid) };
}

/** Null: the repository has none, or cannot be seen. */
export async function readDefaultBranch(
  github: Pick<GitHub, 'graphql'>,
  { owner, name, installationId }: Repository,
): Promise<DefaultBranch | null> {
  const { data } = await github.graphql(installationId, query, { owner, name });
  return defaultBranchOf(answerSchema.parse(data).repository?.defaultBranchRef ?? null);
}
