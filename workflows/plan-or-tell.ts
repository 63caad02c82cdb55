// What comes of a plan or of its policies when something breaks on the way? A value, so that nothing else is held up.
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  log,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { Diagnostic } from './model/diagnostic.ts';
import type { PlanResult } from './model/plan.ts';
import { isAsOrdered } from './model/plan.ts';
import type { Judgement, JudgeRequest } from './port/judgement.ts';
import type { PlanRequest } from './port/run.ts';
import type { RunLimits } from './proxies.ts';
import { judge, planProjectIn } from './proxies.ts';
import { noRunner, untilTaken, wasNotTaken } from './waiting-for-runner.ts';

/** What the user can mend is shown on the project; the other projects are not held up by it. */
export async function planOrTell(request: PlanRequest, limits: RunLimits): Promise<PlanResult> {
  const { name, pool, problems } = request.project;
  if (problems.length > 0) {
    return { kind: 'failed', runId: request.runId, diagnostics: problems, diagnosticCount: problems.length };
  }
  try {
    return refuseAnother(request, await untilTaken(pool, () => planProjectIn(pool, limits)(request)));
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('a project could not be planned', { runId: request.runId, project: name, error });
    return failedPlan(request, error);
  }
}

/** A runner that was taken over may answer with the plan of a project that has weaker rules. */
function refuseAnother({ project, source, runId, destroy }: PlanRequest, result: PlanResult): PlanResult {
  if (result.kind === 'failed') return result;
  const { sourceDigest } = project;
  const order = { runId, project, sourceDigest, head: source.head, base: source.base, destroy };
  if (isAsOrdered(result.plan, order)) return result;
  log.error('a runner answered with a plan that nobody asked for', { runId, project: project.name });
  return { kind: 'failed', runId, diagnosticCount: 1, diagnostics: [anotherPlan] };
}

const anotherPlan: Diagnostic = {
  severity: 'error',
  summary: 'The runner answered with another plan than it was asked for.',
  detail: 'Nothing of it is shown or applied. Its runner is not to be trusted: tell whoever runs Hatchet.',
};

function failedPlan({ runId, project }: PlanRequest, error: unknown): PlanResult {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof ApplicationFailure && cause.type === 'UserError') {
    const diagnostics = (cause.details?.[0] ?? []) as readonly Diagnostic[];
    return { kind: 'failed', runId, diagnosticCount: diagnostics.length, diagnostics };
  }
  const words = wasNotTaken(error)
    ? noRunner(project.pool)
    : { summary: summaryOf(cause), detail: `The cause is in Hatchet's log under run ${runId}.` };
  return { kind: 'failed', runId, diagnosticCount: 1, diagnostics: [{ severity: 'error', ...words }] };
}

const summaryOf = (cause: Error | undefined): string =>
  cause instanceof TimeoutFailure
    ? 'The plan took too long, or its runner was lost.'
    : 'Hatchet could not run Terraform.';

/** Policies that cannot be asked have not said yes. */
export async function judgeOrTell(request: JudgeRequest): Promise<Judgement> {
  try {
    return await judge(request);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('the policies could not be asked', { planId: request.planId, error });
    const unclear = { denials: [], warnings: [], approvals: [], error: 'the policies could not be asked' };
    return { verdicts: [{ policy: 'hatchet', level: 'mandatory', ...unclear }], bundle: '' };
  }
}
