// What is said to a workflow? The messages that webhooks become, and the signals that carry them.
import { defineSignal } from '@temporalio/workflow';
import type { ApplyOutcome } from './model/apply.ts';
import type { Button } from './model/check.ts';
import type { Command } from './model/command.ts';
import type { Finding } from './model/comparison.ts';
import type { Lost } from './model/healing.ts';
import type { RunId, Sha } from './model/identifiers.ts';
import type { ProjectRequest } from './model/lock.ts';
import type { MergeGroup } from './model/merge-group.ts';
import type { PullRequest } from './model/pull-request.ts';
import type { PullRequestRef, Repository } from './model/repository.ts';

/** A delivery of GitHub's, reduced to what matters here. `deliveryId` is GitHub's GUID. */
export type Message = {
  readonly deliveryId: string;
  readonly ref: PullRequestRef;
  /** What the schedule that heals found lost; absent where GitHub itself brought the message. */
  readonly lost?: Lost;
} /** Opened, pushed to, retargeted, closed, merged: what it is now is read afresh, this is the first hint. */ & (
  | {
      readonly kind: 'pull-request';
      readonly pullRequest: PullRequest;
      /** Who has just pushed its head; null where it was not a push. */
      readonly pusher: string | null;
      /** Its conversation was unlocked: a comment that GitHub refused is taken now. */
      readonly unlocked?: true;
    }
  /** Somebody gave, changed or dismissed a review: what all of them say is read afresh. */
  | {
      readonly kind: 'review';
      readonly actor: string;
      /** GitHub's numeric id, and what the review says: approved, changes_requested or dismissed. */
      readonly reviewId: number;
      readonly state: string;
    }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly actor: string;
      readonly commentNodeId: string;
      /** GitHub's numeric id: the same, however the comment was heard of. */
      readonly commentId: number;
      /** ISO 8601, GitHub's clock. */
      readonly createdAt: string;
    }
  | {
      readonly kind: 'click';
      readonly button: Button;
      /** The locks of Terraform's that it was about; null on every button but that which breaks them. */
      readonly locks: string | null;
      readonly actor: string;
      readonly head: Sha;
      /** The project whose check was clicked; null on an aggregate. */
      readonly project: string | null;
      /** The round that the clicked check showed: a click means what it showed, not what came since. */
      readonly roundId: string;
    }
  | { readonly kind: 'rerun'; readonly actor: string; readonly head: Sha }
  /** Its checks have to be written anew: another pull request that had the same head writes them no more. */
  | { readonly kind: 'redraw' }
  /** The world around it changed: what it plans may have to be planned again. */
  | {
      readonly kind: 'refresh';
      /** Names of projects that were applied elsewhere, or come after such; empty when only the base branch moved. */
      readonly applied: readonly string[];
      /** ISO 8601: when the last of them was heard of; a plan begun later has seen them all. */
      readonly appliedAt: string;
      /** The workflow that hears (`refreshedSignal`) when the new plans are there. */
      readonly replyTo: string;
    }
);

/** What can be said only once, by whichever delivery; null where the delivery's id is all that counts. */
export function subjectOf(message: Message): string | null {
  if (message.kind === 'command') return `comment/${message.commentId}`;
  return message.kind === 'review' ? `review/${message.reviewId}/${message.state}` : null;
}

/** What the owner of a project tells the pull request that asked. */
export type ProjectNews =
  | {
      readonly kind: 'queued';
      readonly project: string;
      readonly runId: RunId;
      readonly owner: number;
      readonly position: number;
    }
  /** The pull request owns the project now. */
  | { readonly kind: 'yours'; readonly project: string }
  /** Its turn comes when those before it have given up the project. */
  | {
      readonly kind: 'behind';
      readonly project: string;
      readonly owner: number;
      readonly position: number;
    }
  /** It was asked for without waiting, and belongs to `owner`. `runId`: of the apply that asked; null for a turn. */
  | {
      readonly kind: 'taken';
      readonly project: string;
      readonly owner: number;
      readonly runId: RunId | null;
    }
  /** Its turn has come, and it waits for a runner that is free. */
  | { readonly kind: 'starting'; readonly project: string; readonly runId: RunId }
  /** A runner has taken it. */
  | { readonly kind: 'applying'; readonly project: string; readonly runId: RunId }
  | {
      readonly kind: 'finished';
      readonly project: string;
      readonly runId: RunId;
      readonly outcome: ApplyOutcome;
    }
  /** The state that it could not write has reached the store. */
  | { readonly kind: 'state-kept'; readonly project: string; readonly runId: RunId }
  /** What a fresh plan says about an apply whose outcome nobody knows. */
  | {
      readonly kind: 'found';
      readonly project: string;
      readonly runId: RunId;
      readonly finding: Finding;
    };

/** Who moved a branch to which commit. */
export type Push = { readonly head: Sha; readonly login: string };

/** What the workflow of a repository is told; it has open pull requests planned again, a few at a time. */
export type RepositoryNews = {
  readonly repository: Repository;
} /** `push`: what it was moved to and by whom; null where nobody told. */ & (
  | { readonly kind: 'pushed'; readonly branch: string; readonly push: Push | null }
  /** `dependents`: whatever comes after the project by hatchet.yaml, near and far; absent where nothing does. */
  | {
      readonly kind: 'applied';
      readonly project: string;
      readonly dependents?: readonly string[];
      readonly number: number;
    }
  /** Somebody wants checks of a commit again, and GitHub did not say which pull requests it is the head of. */
  | { readonly kind: 'rerun'; readonly deliveryId: string; readonly actor: string; readonly head: Sha }
);

/** What GitHub's merge queue says of one group. */
export type GroupNews = { readonly kind: 'group-requested' | 'group-destroyed'; readonly group: MergeGroup };

/** Where the App is installed, or what it may do there, has changed. */
export type InstallationNews = { readonly kind: 'installation-changed'; readonly installationId: number };

/** To the schedule's workflow: look where the App is installed. */
export const installationSignal = defineSignal<[]>('installation');
export const groupDestroyedSignal = defineSignal<[]>('groupDestroyed');
export const repositoryNewsSignal = defineSignal<[RepositoryNews]>('repositoryNews');
/** From a pull request that was told to refresh, by its number. */
export const refreshedSignal = defineSignal<[number]>('refreshed');
export const messageSignal = defineSignal<[Message]>('message');
export const projectRequestSignal = defineSignal<[ProjectRequest]>('projectRequest');
/** From the runner that has taken the apply of this project: a hint to look into the record. */
export const applyTakenSignal = defineSignal<[]>('applyTaken');
export const projectNewsSignal = defineSignal<[ProjectNews]>('projectNews');
