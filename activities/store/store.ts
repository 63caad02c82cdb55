// What does Hatchet remember, and where?
import type { Logger } from 'pino';
import type { WriteBudget } from '../github/budget.ts';
import { writeLimits } from '../github/budget.ts';
import type { HeadMemory } from '../github/shared-head.ts';
import type { SurfaceMemory } from '../github/surfaces.ts';
import type { RunStore } from '../run-store.ts';
import type { ReadPlannedModules } from '../source/planned-modules.ts';
import type { Applies } from './apply.ts';
import { createApplies } from './apply.ts';
import type { Approvals } from './approval.ts';
import { createApprovals } from './approval.ts';
import type { Artifacts, Keyring } from './artifact.ts';
import { createArtifacts } from './artifact.ts';
import { createBudget } from './budget.ts';
import type { Claims } from './claim.ts';
import { createClaims } from './claim.ts';
import { closeTimeoutSeconds, connect } from './connection.ts';
import type { Deliveries } from './delivery.ts';
import { createDeliveries } from './delivery.ts';
import type { Events } from './event.ts';
import { createEvents } from './event.ts';
import type { Healing } from './healing.ts';
import { createHealing } from './healing.ts';
import type { LeftBehinds } from './left-behind.ts';
import { createLeftBehinds } from './left-behind.ts';
import type { LiveLogs } from './live-log.ts';
import { createLiveLogs } from './live-log.ts';
import type { LockEvents } from './lock-event.ts';
import { createLockEvents } from './lock-event.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { NewestPlans } from './newest-plan.ts';
import { createNewestPlans } from './newest-plan.ts';
import type { Overrides } from './override.ts';
import { createOverrides } from './override.ts';
import { createRunStore } from './plan.ts';
import { createPlannedModules } from './planned-modules.ts';
import type { PullRequests } from './pull-request.ts';
import { createPullRequests } from './pull-request.ts';
import type { Pushes } from './push.ts';
import { createPushes } from './push.ts';
import type { Runs } from './run.ts';
import { createRuns } from './run.ts';
import { createHeads } from './shared-head.ts';
import { createShown } from './shown.ts';
import type { StateUses } from './state-use.ts';
import { createStateUses } from './state-use.ts';
import type { UnwrittenStates } from './unwritten-state.ts';
import { createUnwrittenStates } from './unwritten-state.ts';
import type { Verdicts } from './verdict.ts';
import { createVerdicts } from './verdict.ts';

/**
 * Everything that outlives a workflow. While the database is away every call rejects with a plain Error, which
 * Temporal retries; OperatorErrors are told per function.
 */
export type Store = {
  readonly runs: RunStore;
  readonly artifacts: Artifacts;
  readonly verdicts: Verdicts;
  readonly approvals: Approvals;
  readonly overrides: Overrides;
  readonly applies: Applies;
  readonly claims: Pick<Claims, 'callBack' | 'isTaken'>;
  readonly events: Events;
  readonly lockEvents: LockEvents;
  readonly leftBehinds: LeftBehinds;
  readonly deliveries: Deliveries;
  readonly healing: Healing;
  readonly pullRequests: PullRequests;
  readonly pushes: Pushes;
  readonly newestPlans: NewestPlans;
  readonly plannedModules: ReadPlannedModules;
  readonly shownRuns: Runs;
  readonly liveLogs: LiveLogs;
  readonly shown: SurfaceMemory;
  readonly heads: HeadMemory;
  readonly stateUses: StateUses;
  readonly unwrittenStates: UnwrittenStates;
  /** Of writes to GitHub. */
  readonly budget: WriteBudget;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  /** Waits a moment for what is running, then hangs up. */
  close(): Promise<void>;
};

/**
 * Connects to the PostgreSQL at `url` and brings its tables up to this version. Rejects with a plain Error when it
 * cannot be reached; OperatorError: the tables belong to another version.
 */
export async function openStore(options: {
  readonly url: string;
  readonly keyring: Keyring;
  readonly log: Pick<Logger, 'debug'>;
}): Promise<Store> {
  const sql = connect(options.url, options.log);
  try {
    await migrate(sql, await readMigrations(new URL('./migrations/', import.meta.url)));
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
  const artifacts = createArtifacts(sql, options.keyring);
  return {
    runs: createRunStore(sql, options.keyring, artifacts),
    artifacts,
    verdicts: createVerdicts(sql),
    approvals: createApprovals(sql),
    overrides: createOverrides(sql),
    applies: createApplies(sql),
    claims: createClaims(sql),
    events: createEvents(sql),
    lockEvents: createLockEvents(sql),
    leftBehinds: createLeftBehinds(sql),
    deliveries: createDeliveries(sql),
    healing: createHealing(sql),
    pullRequests: createPullRequests(sql),
    pushes: createPushes(sql),
    newestPlans: createNewestPlans(sql),
    plannedModules: createPlannedModules(sql),
    shownRuns: createRuns(sql),
    liveLogs: createLiveLogs(sql, options.keyring),
    shown: createShown(sql),
    heads: createHeads(sql),
    stateUses: createStateUses(sql),
    unwrittenStates: createUnwrittenStates(sql),
    budget: createBudget(sql, writeLimits),
    async ping() {
      await sql`select 1`;
    },
    close: () => sql.end({ timeout: closeTimeoutSeconds }),
  };
}
