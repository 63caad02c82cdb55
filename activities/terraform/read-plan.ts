// How is a plan's JSON read without holding up everything else?
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { operatorError, userError } from '../faults.ts';
import type { PlanAnswer, PlanQuestion, PlanReport } from './plan-report.ts';
import { answerAbout } from './plan-report.ts';
import { beyondMemory } from './plan-size.ts';
import type { ThreadAnswer } from './plan-thread.ts';

/** About a quarter of a second on a busy machine; starting a thread takes half of that. */
const maxInlineBytes = 2 * 1024 * 1024;

/**
 * OperatorError when it is not the JSON of a plan; UserError when it is more than there is memory for. `heapMb`: default
 * as much as the machine has for a thread.
 */
export async function reportPlan(
  planJson: Buffer,
  about: NonNullable<PlanQuestion['about']>,
  heapMb?: number,
): Promise<{ readonly report: PlanReport; readonly secrets: readonly string[] }> {
  const { report, secrets } = await ask({ planJson, about }, heapMb);
  if (report === null) throw operatorError('the plan was read without a report');
  return { report, secrets };
}

/** Values that the plan marks as sensitive. Errors as reportPlan. */
export async function readSecrets(planJson: Buffer): Promise<readonly string[]> {
  return (await ask({ planJson, about: null })).secrets;
}

async function ask(question: PlanQuestion, heapMb?: number): Promise<PlanAnswer> {
  if (question.planJson.length <= maxInlineBytes) return answerAbout(question);
  const thread = new Worker(new URL('./plan-thread.ts', import.meta.url), {
    workerData: question,
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
  });
  try {
    const [answer]: ThreadAnswer[] = await once(thread, 'message');
    if (answer === undefined || 'problem' in answer) throw operatorError(answer?.problem ?? 'no answer');
    return answer;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY')
      throw userError([beyondMemory(question.planJson.length)]);
    throw cause;
  } finally {
    await thread.terminate();
  }
}
