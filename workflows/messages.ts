// What is said to a workflow? The messages that webhooks become, and the signals that carry them.
import { defineSignal } from '@temporalio/workflow';
import type { ApplyOutcome } from './model/apply.ts';
import type { Button } from './model/check.ts';
import type { Command } from './model/command.ts';
import type { RunId, Sha } from './model/identifiers.ts';
import type { ProjectRequest } from './model/lock.ts';
import type { MergeGroup } from './model/merge-group.ts';
import type { PullRequest } from './model/pull-request.ts';
import type { PullRequestRef, Repository } from './model/repository.ts';

/** A delivery of GitHub's, reduced to what matters here. `deliveryId` is GitHub's GUID. */
export type Message = {
  readonly deliveryId: string;
  readonly ref: PullRequestRef;
} /** Opened, pushed to, retargeted, closed, merged: what it is now is read afresh, this is the first hint. */ & (
  | { readonly kind: 'pull-request'; readonly pullRequest: PullRequest }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly actor: string;
      readonly commentNodeId: string;
      /** ISO 8601, GitHub's clock. */
      readonly createdAt: string;
    }
  | {
      readonly kind: 'click';
      readonly button: Button;
      readonly actor: string;
      readonly head: Sha;
      /** The project whose check was clicked; null on an aggregate. */
      readonly project: string | null;
      /** The round that the clicked check showed: a click means what it showed, not what came since. */
      readonly roundId: string;
    }
  | { readonly kind: 'rerun'; readonly actor: string; readonly head: Sha }
  /** The world around it changed: what it plans may have to be planned again. */
  | {
      readonly kind: 'refresh';
      /** Names of projects that were applied elsewhere; empty when only the base branch moved. */
      readonly applied: readonly string[];
      /** ISO 8601: when the last of them was heard of; a plan begun later has seen them all. */
      readonly appliedAt: string;
      /** The workflow that hears (`refreshedSignal`) when the new plans are there. */
      readonly replyTo: string;
    }
);

/** What the owner of a project tells the pull request that asked. */
export type ProjectNews =
  | {
      readonly kind: 'queued';
      readonly project: string;
      readonly runId: RunId;
      readonly owner: number;
      readonly position: number;
    }
  | { readonly kind: 'applying'; readonly project: string; readonly runId: RunId }
  | {
      readonly kind: 'finished';
      readonly project: string;
      readonly runId: RunId;
      readonly outcome: ApplyOutcome;
    };

/** What the workflow of a repository is told; it has open pull requests planned again, a few at a time. */
export type RepositoryNews = { readonly repository: Repository } & (
  | { readonly kind: 'pushed'; readonly branch: string }
  | { readonly kind: 'applied'; readonly project: string; readonly number: number }
  /** Somebody wants all checks of a commit again, and GitHub did not say which pull requests it is the head of. */
  | { readonly kind: 'rerun'; readonly deliveryId: string; readonly actor: string; readonly head: Sha }
);

/** What GitHub's merge queue says of one group. */
export type GroupNews = { readonly kind: 'group-requested' | 'group-destroyed'; readonly group: MergeGroup };

export const groupDestroyedSignal = defineSignal<[]>('groupDestroyed');
export const repositoryNewsSignal = defineSignal<[RepositoryNews]>('repositoryNews');
/** From a pull request that was told to refresh, by its number. */
export const refreshedSignal = defineSignal<[number]>('refreshed');
export const messageSignal = defineSignal<[Message]>('message');
export const projectRequestSignal = defineSignal<[ProjectRequest]>('projectRequest');
export const projectNewsSignal = defineSignal<[ProjectNews]>('projectNews');
