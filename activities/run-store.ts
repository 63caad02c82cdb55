// What does a run read and keep? The narrow part of the store that a runner may use.
import type { Refusal } from '../workflows/model/apply.ts';
import type { PlanChanges } from '../workflows/model/change.ts';
import type { PlanId, RunId } from '../workflows/model/identifiers.ts';
import type { Plan } from '../workflows/model/plan.ts';
import type { Source } from '../workflows/model/pull-request.ts';
import type { Repository } from '../workflows/model/repository.ts';

/** What is known of a stored plan beside its bytes. */
export type StoredPlan = {
  readonly plan: Plan;
  readonly repository: Repository;
  readonly number: number;
  readonly source: Source;
  /** Terraform's state identity when it was planned; null when there was no state yet. */
  readonly state: { readonly lineage: string; readonly serial: number } | null;
  readonly planFileSha256: string;
  /** What the plan was given, for the init of its apply; relative to the project's directory. */
  readonly varFiles: readonly string[];
  /** Directories of the local modules that init found, relative to the repository. */
  readonly moduleDirs: readonly string[];
  /** Those of them that its code does not name, as far as reading the code alone tells. */
  readonly missedModules: readonly string[];
};

export type PlanBytes = {
  readonly planFile: Buffer;
  /** `terraform show -json`, with secrets in clear: leaves the store only for policies. */
  readonly planJson: Buffer;
  /** Secrets of the runner's own that stand in `planJson`, marked there or not: control may not know them otherwise. */
  readonly masks: readonly string[];
  /** Masked log, one line per event. */
  readonly log: Buffer;
  /** What people may see. */
  readonly changes: PlanChanges;
  /** `.terraform.lock.hcl` as used; null when init wrote none. */
  readonly lockFile: Buffer | null;
};

/** `lockFile`: null when init wrote none. */
export type PlanFiles = { readonly planFile: Buffer; readonly lockFile: Buffer | null };

/** The plan is whoever's who asked; otherwise another has it, or it was refused. */
export const isPlanTaken = (answer: PlanFiles | Refusal | null): answer is PlanFiles =>
  answer !== null && !('kind' in answer);

/** `taker`: a UUID that the process gave itself. */
export type PlanTaking = { readonly planId: PlanId; readonly runId: RunId; readonly taker: string };

/**
 * Plans, logs and what a failed apply leaves behind. Everything is encrypted before it is stored.
 * All writes are idempotent by id. Missing or expired artifacts throw an OperatorError.
 */
export type RunStore = {
  /** One transaction: the plan row and its artifacts. */
  savePlan(stored: StoredPlan, bytes: PlanBytes): Promise<void>;
  readPlan(id: PlanId): Promise<StoredPlan>;
  readPlanFile(id: PlanId): Promise<PlanFiles>;
  /**
   * What an apply that has begun applies, for the first process that takes it and for no other, however often that one
   * asks. Null: another has taken it, or the apply is over. A refusal: people said no before anybody had taken it.
   */
  takePlanFile(request: PlanTaking): Promise<PlanFiles | Refusal | null>;
  readPlanJson(id: PlanId): Promise<Buffer>;
  /** See `PlanBytes`. */
  readPlanMasks(id: PlanId): Promise<readonly string[]>;
  readPlanChanges(id: PlanId): Promise<PlanChanges>;
  /** The masked log of any run (a failed plan, an apply), kept under the run's id. */
  saveLog(runId: RunId, log: Buffer): Promise<void>;
  /** As `saveLog`, where none is kept yet. */
  addLog(runId: RunId, log: Buffer): Promise<void>;
  readLog(runId: RunId): Promise<Buffer>;
  /** `errored.tfstate`: the state that Terraform could not write. One that is kept is never replaced. */
  saveErroredState(runId: RunId, state: Buffer): Promise<void>;
};

/** What a run itself needs of it. */
export type RunnerStore = Omit<RunStore, 'readPlanMasks' | 'readPlanFile' | 'readPlanChanges' | 'readLog'>;

/**
 * Where people follow a run while it goes on. Calls of one run come one after the other, `seq` counting from 0; a
 * chunk whose write failed comes again under the same `seq`, maybe longer: the last one counts. Text is masked, whole lines. What the run keeps in the
 * end (`savePlan`, `saveLog`) holds all of it: chunks are needed until then, and no longer.
 */
export type LogSink = {
  append(runId: RunId, seq: number, text: string): Promise<void>;
};
