// How does a project become a plan?
import { Buffer } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import { parsePlanId } from '../../workflows/model/identifiers.ts';
import type { Plan, PlanResult } from '../../workflows/model/plan.ts';
import type { AffectedProject, Project } from '../../workflows/model/project.ts';
import type { PlanRequest } from '../../workflows/port/run.ts';
import { operatorError } from '../faults.ts';
import { failedForRoom, hasNoRoom, runnersFullDisk, terraformsFullDisk } from '../full-disk.ts';
import { isLocking } from './backend.ts';
import type { CommandResult } from './command.ts';
import { assertStarted, captureCommand, explainFailure, runCommand } from './command.ts';
import { errorsFirst, isWarning, toDiagnostic } from './diagnostics.ts';
import { findEngine } from './engine.ts';
import { withHeartbeat } from './heartbeat.ts';
import { keepTrying } from './keep-trying.ts';
import { createLiveLog } from './live-log.ts';
import { parseLockFile } from './lock-file.ts';
import type { Mask } from './mask.ts';
import { createMask } from './mask.ts';
import { readPlanFile } from './plan-file.ts';
import { tooLarge } from './plan-size.ts';
import type { Preparation, Prepared } from './prepare.ts';
import { prepareProject } from './prepare.ts';
import { reportPlan } from './read-plan.ts';
import type { RunDirectory } from './run-directory.ts';
import { createRunDirectory, readForeignFile, removeRunDirectory } from './run-directory.ts';
import type { Session, SessionRequest } from './session.ts';
import { createSession } from './session.ts';
import type { RunContext, RunnerDependencies } from './settings.ts';
import { isValidCode } from './valid-code.ts';

/** A plan file holds the state twice; beyond this the store is the wrong place for it. */
const maxPlanFileBytes = 256 * 1024 * 1024;

/** `-detailed-exitcode`: there is a difference. */
const changesExitCode = 2;

/** What Terraform made: everything that is needed to describe and keep the plan. */
type Planned = {
  readonly prepared: Extract<Prepared, { kind: 'ready' }>;
  readonly result: CommandResult;
  readonly planFile: Buffer;
  readonly planJson: Buffer;
};

/** Why there is no plan. `validCode`: as in PlanResult. */
type Unplanned = { readonly diagnostics: readonly Diagnostic[]; readonly validCode?: true };

/**
 * Runs init, plan and show for one project on one tree and keeps what came of it in the store. Problems of the code
 * are a `failed` result. OperatorError: the engine is missing or cannot run. Throws the reason of `context.signal`
 * when it was cancelled. Source: developer.hashicorp.com/terraform/cli/commands/plan.
 */
export async function planProject(
  context: RunContext,
  deps: RunnerDependencies,
  request: PlanRequest,
): Promise<PlanResult> {
  return withHeartbeat(context, async (enter) => {
    const { project, runId } = request;
    const engine = await findEngine(deps.engineFor, project.engine, project.version, context.signal);
    if (engine.kind === 'unavailable')
      return keepFailure(deps, runId, { diagnostics: [engine.diagnostic] }, null);
    const mask = createMask(deps.settings.masks);
    const live = createLiveLog(deps.liveLog, runId, mask);
    const attempt = { context, deps, request, engine, mask, live, enter };
    try {
      const reusing = await planOnce({ ...attempt, reuse: 'fitting' });
      return reusing === 'not-fitting' ? await planWithInit(attempt) : reusing;
    } finally {
      await live.end();
    }
  });
}

type Attempt = Pick<SessionRequest, 'context' | 'deps' | 'engine' | 'live' | 'enter'> & {
  readonly request: PlanRequest;
  readonly mask: Mask;
};

/** In another directory: what the first attempt left must not pass for what init makes. */
async function planWithInit(attempt: Attempt): Promise<PlanResult> {
  const planned = await planOnce({ ...attempt, reuse: 'none' });
  if (planned === 'not-fitting') throw new Error('an init of its own always fits');
  return planned;
}

async function planOnce(
  attempt: Attempt & { readonly reuse: Preparation['reuse'] },
): Promise<PlanResult | 'not-fitting'> {
  const { context, deps, request, enter, live, mask } = attempt;
  const { workDir } = deps.settings;
  let directory: RunDirectory | null = null;
  try {
    const { runId, project } = request;
    directory = await createRunDirectory(workDir, runId);
    const session = await createSession({ ...attempt, runId, project, directory });
    const planned = await runPlan(session, attempt);
    if (planned === 'not-fitting') return planned;
    enter('store');
    await live.end();
    return 'planFile' in planned
      ? await keepPlan(session, deps, request, planned)
      : await keepFailure(deps, request.runId, planned, session.log.masked(mask));
  } catch (cause) {
    // Asked before the run's own files are deleted, which makes some room.
    if (context.signal.aborted || !((await failedForRoom(cause, workDir)) || (await hasNoRoom(workDir))))
      throw cause;
    context.warn('a plan found the disk full', cause);
    const diagnostics = [runnersFullDisk('Then comment /hatchet plan.')];
    return keepFailure(deps, request.runId, { diagnostics }, null);
  } finally {
    if (directory !== null) await removeRunDirectory(directory);
  }
}

async function runPlan(
  session: Session,
  { deps, request, mask, reuse }: Attempt & { readonly reuse: Preparation['reuse'] },
): Promise<Planned | Unplanned | 'not-fitting'> {
  const { repository, source, project, destroy, underLock = false } = request;
  const { varFiles } = project;
  const preparation = { deps, repository, tree: source.tree, lockFile: null, varFiles, reuse };
  const prepared = await prepareProject(session, preparation, mask);
  if (prepared.kind === 'failed') {
    const { reused, byInit = false, diagnostics } = prepared;
    if (reused) return 'not-fitting';
    return byInit ? weigh(session, project, diagnostics, { initialised: false }) : { diagnostics };
  }
  session.enter('plan');
  const { planFile } = session.directory;
  const command = { kind: 'plan', planFile, varFiles, destroy, underLock } as const;
  const result = await runCommand(session, command);
  if (result.exit.code !== 0 && result.exit.code !== changesExitCode) {
    // Without a word of any resource, it may be the init that Terraform refuses.
    if (prepared.reused && !result.worked) return forgetInit(deps, prepared);
    assertStarted(session, command, result, mask);
    const diagnostics = explainFailure(session, command, result, mask);
    return hasAskedOutside(result)
      ? weigh(session, project, diagnostics, { initialised: true })
      : { diagnostics };
  }
  const { keys, lockFile } = prepared;
  deps.initCache.keepAlso(keys.fitting, keys.proven(lockFile));
  const read = await readPlan(session, deps.settings);
  return 'diagnostics' in read ? read : { prepared, result, ...read };
}

/**
 * It had begun to, or something without a line of the code is wrong, or a resource or a provider is. What fails before
 * that, like a variable without a value, fails whatever exists.
 */
const hasAskedOutside = ({ worked, diagnostics }: CommandResult): boolean =>
  worked ||
  diagnostics.some(
    ({ severity, range, address }) => severity === 'error' && (range === undefined || address !== undefined),
  );

/** Only where something is to be applied before it can it matter whose fault it is. */
async function weigh(
  session: Session,
  { dependsOn, varFiles }: AffectedProject,
  diagnostics: readonly Diagnostic[],
  { initialised }: { readonly initialised: boolean },
): Promise<Unplanned> {
  if (dependsOn.length === 0 || diagnostics.includes(terraformsFullDisk)) return { diagnostics };
  const valid = await isValidCode(session, { varFiles, initialised });
  return valid ? { diagnostics, validCode: true } : { diagnostics };
}

function forgetInit({ initCache }: RunnerDependencies, { keys }: Planned['prepared']): 'not-fitting' {
  initCache.forget(keys.fitting);
  return 'not-fitting';
}

async function readPlan(
  session: Session,
  { maxPlanBytes }: RunnerDependencies['settings'],
): Promise<Pick<Planned, 'planFile' | 'planJson'> | Unplanned> {
  session.enter('show');
  const { planFile: path, plans } = session.directory;
  const shown = await captureCommand(session, { kind: 'show', planFile: path }, maxPlanBytes);
  if (shown.kind === 'failed')
    throw operatorError(`${session.project.engine} show failed on its own plan file`);
  if (shown.kind === 'too-large') return { diagnostics: [tooLarge(shown.bytes, maxPlanBytes)] };
  const planJson = shown.text;
  const planFile = await readForeignFile({ path, within: plans, maxBytes: maxPlanFileBytes });
  if (planFile === null) throw operatorError(`${session.project.engine} plan wrote no plan file`);
  return { planFile, planJson };
}

async function keepPlan(
  session: Session,
  deps: RunnerDependencies,
  request: PlanRequest,
  planned: Planned,
): Promise<PlanResult> {
  const { planFile, planJson, prepared, result } = planned;
  const { project } = request;
  const { state, configuration } = await readPlanFile(planFile);
  const { report, secrets } = await reportPlan(planJson, {
    project: withoutSource(project),
    lock: { committed: prepared.committedLockFile, selected: selectedProviders(prepared.lockFile) },
    sourceDigest: project.sourceDigest,
    configuration,
    masks: session.settings.masks,
  });
  const { changes, masks, ...numbers } = report;
  const mask = createMask([...session.settings.masks, ...secrets]);
  const diagnostics = result.diagnostics.map((raw) => toDiagnostic(raw, project.dir, mask));
  const plan: Plan = {
    ...numbers,
    ...describeRequest(request),
    hasChanges: result.exit.code === changesExitCode,
    warnings: diagnostics.filter(isWarning).slice(0, maxDiagnosticsCarried),
  };
  const { repository, number, source } = request;
  const planFileSha256 = createHash('sha256').update(planFile).digest('hex');
  const { moduleDirs } = prepared;
  const { varFiles } = project;
  const missedModules = findMissed(session, project, moduleDirs);
  const record = {
    ...{ plan, repository, number, source, state, planFileSha256, varFiles },
    ...{ moduleDirs, missedModules },
  };
  const log = session.log.masked(mask);
  const save = () =>
    deps.store.savePlan(record, { planFile, planJson, masks, log, changes, lockFile: prepared.lockFile });
  // A database that restarts must not cost the minutes that Terraform took.
  if (!(await keepTrying(save))) await save();
  const alone = request.underLock === true && (await isLocking(session.directory.data));
  return { kind: 'planned', plan, moduleDirs, ...(alone ? { alone } : {}) };
}

/** Told at once, in the run's log and the operator's: what only init finds is a fault in the reading of the code. */
function findMissed(
  { log, context }: Session,
  { name, modules }: AffectedProject,
  moduleDirs: readonly string[],
): readonly string[] {
  const missed = modules === undefined ? [] : moduleDirs.filter((dir) => !modules.includes(dir));
  if (missed.length === 0) return missed;
  const message = `Local modules that only init found: ${missed.join(', ')}`;
  log.append(message);
  context.warn(`${name}: ${message}`, null);
  return missed;
}

function selectedProviders(lockFile: Buffer | null): ReturnType<typeof parseLockFile> {
  return parseLockFile((lockFile ?? Buffer.alloc(0)).toString());
}

function describeRequest({ project, source, runId, destroy }: PlanRequest) {
  return {
    id: parsePlanId(randomUUID()),
    runId,
    project: withoutSource(project),
    sourceDigest: project.sourceDigest,
    head: source.head,
    base: source.base,
    destroy,
  };
}

function withoutSource({ name, dir, workspace, engine }: AffectedProject): Project {
  return { name, dir, workspace, engine };
}

/** Where nothing was run, the log is what there is to say. */
async function keepFailure(
  deps: RunnerDependencies,
  runId: RunId,
  { diagnostics, ...weighed }: Unplanned,
  written: Buffer | null,
): Promise<PlanResult> {
  const said = diagnostics.map(({ summary, detail }) => `${summary}\n${detail}\n`).join('\n');
  const log = written ?? Buffer.from(said);
  const save = () => deps.store.saveLog(runId, log);
  if (!(await keepTrying(save))) await save();
  return {
    kind: 'failed',
    runId,
    diagnostics: errorsFirst(diagnostics).slice(0, maxDiagnosticsCarried),
    diagnosticCount: diagnostics.length,
    ...weighed,
  };
}
