// What is a runner asked to do, and what may it then read and keep?
import type { ApplyGrant, ApplyOutcome } from '../model/apply.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { PlanId, RepositoryId, RunId, Sha } from '../model/identifiers.ts';
import type { PlanResult } from '../model/plan.ts';
import type { AffectedProject, Project } from '../model/project.ts';
import type { Source } from '../model/pull-request.ts';
import type { Repository } from '../model/repository.ts';

export type PlanRequest = {
  readonly repository: Repository;
  readonly number: number;
  readonly project: AffectedProject;
  readonly source: Source;
  readonly runId: RunId;
  /** Plan the end of everything that the project has. */
  readonly destroy: boolean;
  /** Only where nobody else holds Terraform's state lock; absent: whoever holds it. */
  readonly underLock?: true;
};

/**
 * What lets one run, and no other, read its files from control and keep its results there. Null where control and
 * runner are one process.
 */
export type RunPass = {
  readonly token: string;
  /** Whose runners it is for: only with a key of that pool it opens anything. */
  readonly pool: string;
  /** Somebody may follow the run while it goes on. */
  readonly followed: boolean;
};

/** Which run it is, and how long it may go on at most, waiting included. */
export type RunAdmission = {
  readonly repositoryId: RepositoryId;
  readonly pool: string;
  readonly runId: RunId;
  readonly lifetimeMs: number;
  readonly operation:
    | { readonly kind: 'plan'; readonly number: number; readonly project: Project; readonly tree: Sha }
    | { readonly kind: 'apply'; readonly planId: PlanId };
};

/** The `type` of the failure that says so: nothing was applied. Only `applyPlan` throws it, and only before the start. */
export const notStartedType = 'NotStarted';

/** Its detail. The type of a failure is in clear, and whoever reaches Temporal can give one: details are sealed. */
export const notStartedDetail = 'Terraform was not started';

export type ApplyPlanRequest = {
  readonly repository: Repository;
  readonly grant: ApplyGrant;
  readonly runId: RunId;
  readonly fence: number;
};

/** The project as it was planned, and the lock that is to be broken. */
export type UnlockRequest = PlanRequest & { readonly lockId: string };

/** What a runner is asked to do, with its pass. */
export type Admitted<Request> = Request & { readonly pass: RunPass | null };

/** Runner: runs foreign code; no App key, no database. Runs on `hatchet-runner-<pool>`. */
export type RunnerActivities = {
  /** `init`, `plan`, `show` in one go; plan file, JSON, log and changes go to the store. */
  planProject(request: Admitted<PlanRequest>): Promise<PlanResult>;
  /** Applies one stored plan file. One attempt: a second one refuses before Terraform starts. */
  applyPlan(request: Admitted<ApplyPlanRequest>): Promise<ApplyOutcome>;
  /**
   * Breaks Terraform's own lock of this id on the project's state. Null: it is gone; else what Terraform says.
   * OperatorError: the id is none.
   */
  unlockState(request: Admitted<UnlockRequest>): Promise<readonly Diagnostic[] | null>;
};
