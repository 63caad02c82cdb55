// How is an approved plan applied, at most once?
import type { Buffer } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplyOutcome, Refusal } from '../../workflows/model/apply.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { ApplyPlanRequest } from '../../workflows/port/run.ts';
import { isNotStarted, notStarted } from '../faults.ts';
import { failedForRoom, hasNoRoom, runnersFullDisk } from '../full-disk.ts';
import type { StoredPlan } from '../run-store.ts';
import { isPlanTaken } from '../run-store.ts';
import type { ApplyEnding } from './apply-command.ts';
import { runApplyCommand } from './apply-command.ts';
import { whyStoppedBefore, withinLimit } from './apply-limit.ts';
import { crashOf, erroredStateName, keepOutcome, keepUnstarted } from './apply-outcome.ts';
import { findEngine } from './engine.ts';
import { withHeartbeat } from './heartbeat.ts';
import { createLiveLog } from './live-log.ts';
import type { Mask } from './mask.ts';
import { createMask } from './mask.ts';
import { prepareProject } from './prepare.ts';
import { isAtWorkIn } from './processes.ts';
import { readSecrets } from './read-plan.ts';
import type { RunDirectory } from './run-directory.ts';
import { createRunDirectory, removeRunDirectory } from './run-directory.ts';
import type { Session, SessionRequest } from './session.ts';
import { createSession } from './session.ts';
import type { RunContext, RunnerDependencies } from './settings.ts';
import { emptyStartNote, recordStart } from './start-record.ts';
import { lockMark } from './state-lock.ts';

/** The plan that a grant names, as it was stored. */
type GrantedPlan = {
  readonly stored: StoredPlan;
  readonly planFile: Buffer;
  readonly lockFile: Buffer | null;
  readonly mask: Mask;
};

/**
 * Applies the stored plan that the grant names. One attempt: a later one answers `unknown` and starts nothing.
 * A cancellation, or the apply's own limit, interrupts Terraform once and waits, for as long as it takes to write the
 * state. Only before Terraform starts something is thrown: NotStarted, with the cause (the engine or the stored plan is missing, or a cancellation).
 * Source: developer.hashicorp.com/terraform/cli/commands/apply.
 */
export async function applyPlan(
  context: RunContext,
  deps: RunnerDependencies,
  request: ApplyPlanRequest,
): Promise<ApplyOutcome> {
  const { runId } = request;
  if (context.attempt > 1)
    return { kind: 'unknown', runId, reason: 'contact with the first attempt was lost' };
  const mark = lockMark(runId, deps.settings.bubblewrap !== null);
  const work = (enter: SessionRequest['enter']) =>
    withinLimit(request.grant.timeoutMs, context, (limited) =>
      applyOnce({ context: limited, deps, enter }, request),
    );
  const outcome = await withHeartbeat(context, work, mark).catch((cause: unknown) => {
    throw isNotStarted(cause) ? cause : notStarted(cause);
  });
  return outcome.kind === 'unknown' && mark !== null ? { ...outcome, mark } : outcome;
}

async function applyOnce(
  { context, deps, enter }: Pick<SessionRequest, 'context' | 'deps' | 'enter'>,
  request: ApplyPlanRequest,
): Promise<ApplyOutcome> {
  const { runId } = request;
  // The claim is written before the answer is sent, which may be long on its way.
  const askedAt = Date.now();
  // Not this process: after a silence it may be given the same apply again, and one of the two has to go without.
  const taker = randomUUID();
  const granted = await readGrantedPlan(deps, request, taker);
  if (granted === 'taken') return { kind: 'unknown', runId, reason: takenBefore };
  if ('kind' in granted) return { kind: 'refused', refusal: granted };
  const engine = await findPlansEngine(context, deps, granted.stored);
  if (engine.kind === 'unavailable') return keepUnstarted(deps, runId, granted.stored, engine.diagnostic);
  const { project } = granted.stored.plan;
  const { workDir } = deps.settings;
  let directory: RunDirectory | null = null;
  try {
    directory = await createRunDirectory(workDir, runId);
    const live = createLiveLog(deps.liveLog, runId, granted.mask);
    const session = await createSession({ context, runId, deps, live, engine, project, directory, enter });
    const problems = await prepareApply(session, deps, request, granted);
    if (problems.length === 0) {
      await assertStillOurs(deps, request, { askedAt, taker });
      return await startApply(session, deps, request, granted);
    }
    const { outcome } = await keepOutcome({
      session,
      deps,
      runId,
      ...granted,
      ending: { kind: 'not-started', problems },
    });
    await discard(context, directory);
    return outcome;
  } catch (cause) {
    // Asked before the run's own files are deleted, which makes some room.
    const full =
      !context.signal.aborted && ((await failedForRoom(cause, workDir)) || (await hasNoRoom(workDir)));
    if (directory !== null) await discard(context, directory);
    if (!full) throw cause;
    context.warn('an apply found the disk full', cause);
    return keepUnstarted(deps, runId, granted.stored, nothingAppliedForLackOfRoom);
  }
}

const nothingAppliedForLackOfRoom = runnersFullDisk(
  'Nothing was applied. Then comment /hatchet plan, and apply again.',
);

/** Whatever is known by now stays true when the directory cannot be deleted. */
async function discard(
  { warn }: RunContext,
  directory: RunDirectory,
  afterwards: () => Promise<void> = async () => undefined,
): Promise<void> {
  await removeRunDirectory(directory)
    .then(afterwards)
    .catch((error: unknown) => warn('the files of an apply could not be deleted', error));
}

/** Another version may read the plan file in another way, or not at all. */
async function findPlansEngine(
  { signal }: RunContext,
  { engineFor }: RunnerDependencies,
  { plan }: StoredPlan,
): Promise<ReturnType<typeof findEngine>> {
  const exactly = { constraint: `= ${plan.engineVersion}`, source: 'the plan' };
  return findEngine(engineFor, plan.project.engine, exactly, signal).catch((cause: unknown) => {
    if (!signal.aborted) throw cause;
    return { kind: 'unavailable', diagnostic: whyStoppedBefore(signal) };
  });
}

/** Whoever it was may have applied it. */
const takenBefore = 'another runner has taken the plan, or somebody gave the apply up';

/** The bytes must be those that were planned, and the digest the one that people said yes to. */
async function readGrantedPlan(
  { store, settings }: RunnerDependencies,
  { grant, repository, runId }: ApplyPlanRequest,
  taker: string,
): Promise<GrantedPlan | Refusal | 'taken'> {
  const reading = Promise.all([store.readPlan(grant.planId), store.readPlanJson(grant.planId)]);
  // Of an apply that was called back nothing can be read: that it was is the answer.
  reading.catch(() => undefined);
  const files = await store.takePlanFile({ planId: grant.planId, runId, taker });
  if (files === null) return 'taken';
  if ('kind' in files) return files;
  const { planFile, lockFile } = files;
  const [stored, planJson] = await reading;
  const isSameFile = createHash('sha256').update(planFile).digest('hex') === stored.planFileSha256;
  const isApproved = stored.plan.digest === grant.digest && stored.repository.id === repository.id;
  if (!isApproved || !isSameFile) {
    return { kind: 'stale', project: grant.project.name, reason: 'digest changed' };
  }
  const secrets = await readSecrets(planJson);
  return { stored, planFile, lockFile, mask: createMask([...settings.masks, ...secrets]) };
}

async function prepareApply(
  session: Session,
  deps: RunnerDependencies,
  { repository }: ApplyPlanRequest,
  { stored, planFile, lockFile, mask }: GrantedPlan,
): Promise<readonly Diagnostic[]> {
  try {
    const { source, varFiles } = stored;
    const { tree } = source;
    const preparation = { deps, repository, tree, lockFile, varFiles, reuse: 'proven' } as const;
    const prepared = await prepareProject(session, preparation, mask);
    if (prepared.kind === 'failed') return prepared.diagnostics;
    // A committed file of this name must not pass for one that this apply leaves behind.
    await rm(join(session.projectDir, erroredStateName), { recursive: true, force: true });
    await writeFile(session.directory.planFile, planFile, { flag: 'wx', mode: 0o600 });
    session.context.signal.throwIfAborted();
    return [];
  } catch (cause) {
    if (!session.context.signal.aborted) throw cause;
    return [whyStoppedBefore(session.context.signal)];
  }
}

/** Contact that is lost is noticed later than this: until then nobody decides behind the back of whoever has the plan. */
const surelyOursMs = 30_000;

/** A long download may have outlasted contact, and people may have gone on without this apply. */
async function assertStillOurs(
  { store }: RunnerDependencies,
  { grant, runId }: ApplyPlanRequest,
  { askedAt, taker }: { readonly askedAt: number; readonly taker: string },
): Promise<void> {
  if (Date.now() - askedAt < surelyOursMs) return;
  const files = await store.takePlanFile({ planId: grant.planId, runId, taker });
  if (!isPlanTaken(files)) throw notStarted(new Error('the apply was given up while it was prepared'));
}

/** Once Terraform was started nothing is thrown any more: it may have changed something. */
async function startApply(
  session: Session,
  deps: RunnerDependencies,
  { runId, grant }: ApplyPlanRequest,
  granted: GrantedPlan,
): Promise<ApplyOutcome> {
  const note = { planId: grant.planId, projectDir: session.project.dir, pass: deps.pass };
  if (!(await recordStart(session.settings.workDir, runId, note))) {
    await discard(session.context, session.directory);
    return { kind: 'unknown', runId, reason: 'the same run was started before' };
  }
  try {
    session.enter('apply');
    const ending = await runApplyCommand(session);
    session.enter('store');
    await session.log.endFollowing();
    if (await isLost(ending, session.directory)) {
      deps.leftovers.add(session.directory.root);
      return { kind: 'unknown', runId, reason: 'nobody watched Terraform to its end' };
    }
    const { outcome, kept } = await keepOutcome({ session, deps, runId, ...granted, ending });
    // What could not be stored stays until it can be.
    if (!kept) deps.leftovers.add(session.directory.root);
    else
      await discard(session.context, session.directory, () =>
        emptyStartNote(session.settings.workDir, runId),
      );
    return outcome;
  } catch (cause) {
    if (isNotStarted(cause)) {
      await emptyStartNote(session.settings.workDir, runId);
      throw cause;
    }
    deps.leftovers.add(session.directory.root);
    return { kind: 'unknown', runId, reason: 'the runner failed while Terraform was running' };
  }
}

/**
 * Terraform may be at work in the directory, which therefore stays: nobody watched it, or what was killed is only what it
 * was started by.
 */
async function isLost(ending: ApplyEnding, { root }: RunDirectory): Promise<boolean> {
  if (ending.kind !== 'ended') return false;
  const { exit } = ending.result;
  return exit.lost || (crashOf(exit) !== null && (await isAtWorkIn(root)));
}
