// What is written into the record?
import type { Push } from '../messages.ts';
import type { Approval, Rejection } from '../model/approval.ts';
import type { LockChange } from '../model/lock.ts';
import type { Override } from '../model/override.ts';
import type { PullRequestRef, Repository } from '../model/repository.ts';

/** Identifies a project in its repository, whatever it is called. */
export type ProjectPlace = { readonly dir: string; readonly workspace: string };

/** One fact for the record. `key` names an event, so that it is recorded once. */
export type RecordEntry =
  | { readonly kind: 'event'; readonly key: string; readonly event: AuditEvent }
  | {
      readonly kind: 'delivery';
      readonly deliveryId: string;
      readonly ref: PullRequestRef;
      readonly what: string;
      /** What it was about, where that is said only once. */
      readonly subject: string | null;
    }
  | { readonly kind: 'approval'; readonly ref: PullRequestRef; readonly approval: Approval }
  | { readonly kind: 'rejection'; readonly ref: PullRequestRef; readonly rejection: Rejection }
  | { readonly kind: 'override'; readonly ref: PullRequestRef; readonly override: Override }
  /** Its author does not stand by it any more; `at`: ISO 8601, GitHub's clock. */
  | {
      readonly kind: 'override-withdrawal';
      readonly ref: PullRequestRef;
      readonly override: Override;
      readonly at: string;
    }
  | { readonly kind: 'push'; readonly repository: Repository; readonly push: Push }
  /** A yes that counts no more, although the plan is the same. */
  | { readonly kind: 'withdrawal'; readonly ref: PullRequestRef; readonly approval: Approval }
  | {
      readonly kind: 'lock';
      readonly key: string;
      readonly repository: Repository;
      readonly project: ProjectPlace;
      readonly change: LockChange;
    };

export type AuditEvent = {
  readonly repository: Repository;
  readonly number: number | null;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly digest: string | null;
  readonly allowed: boolean;
  readonly reason: string;
};
