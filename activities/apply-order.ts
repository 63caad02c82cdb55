// Would this apply go back behind a newer merge?

import type { ApplyGrant, Refusal } from '../workflows/model/apply.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { Inspection } from '../workflows/port/inspection.ts';
import type { Relation } from './source/relation.ts';
import type { LastChange } from './store/apply.ts';

export type OrderDependencies = {
  /** How `mine` stands to `other` on the base branch of the pull request. */
  readonly relate: (request: {
    readonly ref: PullRequestRef;
    readonly base: string;
    readonly mine: Sha;
    readonly other: Sha;
  }) => Promise<Relation>;
};

/** What the pull request stands on: its merge commit or, before the merge, the base that it was planned with. */
export function baseCommitOf({ pullRequest, source }: Inspection): Sha | null {
  if (pullRequest.state === 'merged') return pullRequest.mergeCommit;
  return source.kind === 'merged' ? source.source.base : null;
}

/**
 * Null when everything that was applied to the project last is part of what this apply stands on, or when a person
 * has agreed to go over it.
 */
export async function findNewer(
  { relate }: OrderDependencies,
  request: {
    readonly ref: PullRequestRef;
    readonly grant: ApplyGrant;
    readonly inspection: Inspection;
    readonly last: LastChange | null;
  },
): Promise<Refusal | null> {
  const { ref, grant, inspection, last } = request;
  const mine = baseCommitOf(inspection);
  const project = grant.project.name;
  const { base, state } = inspection.pullRequest;
  if (mine === null || last === null || last.number === grant.number) return null;
  const relation = await relate({ ref, base, mine, other: last.baseCommit });
  switch (relation) {
    case 'same':
    case 'newer':
      return null;
    case 'older':
      // What is not merged yet can still catch up.
      if (state !== 'merged') return { kind: 'stale', project, reason: 'base moved' };
      // What came only half way contains nothing yet, and going over it would take back what it has done.
      return { kind: last.state === 'applied' ? 'superseded' : 'newer-unfinished', project, by: last.number };
    case 'diverged':
      return grant.over === last.number ? null : { kind: 'diverged', project, by: last.number };
    default:
      return relation satisfies never;
  }
}
