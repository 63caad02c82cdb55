// What does a large plan's JSON come to? The thread that reads it, so that heartbeats and other runs go on meanwhile.
import { parentPort, workerData } from 'node:worker_threads';
import type { PlanAnswer, PlanQuestion } from './plan-report.ts';
import { answerAbout } from './plan-report.ts';

/** Errors lose their kind between threads. */
export type ThreadAnswer = PlanAnswer | { readonly problem: string };

const answer = (question: PlanQuestion): ThreadAnswer => {
  try {
    return answerAbout(question);
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
};

parentPort?.postMessage(answer(workerData as PlanQuestion));
