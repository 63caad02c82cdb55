// What happens inside the thread where policies run, away from everything that must keep going?
import { parentPort, workerData } from 'node:worker_threads';
import type { Mask } from '../terraform/mask.ts';
import { createBuiltins } from './builtins/builtins.ts';
import type { PolicyPackage } from './bundle.ts';
import type { InputShape, PolicyFacts } from './input.ts';
import { writeInput } from './input.ts';
import type { LoadedPolicy } from './load-policy.ts';
import { loadPolicy } from './load-policy.ts';
import { createAnswerMask, maskTexts } from './mask-answer.ts';

/** What the thread is started with: values that no text may hold, whatever the plan says of them. */
export type ThreadSettings = { readonly masks: readonly string[] };

export type Question = {
  readonly digest: string;
  readonly module: WebAssembly.Module;
  readonly packages: readonly PolicyPackage[];
  readonly planJson: Uint8Array;
  readonly masks: readonly string[];
  readonly facts: PolicyFacts;
  readonly shape: InputShape;
  readonly maximumPages: number;
};

export type News =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answered'; readonly name: string; readonly resultSet: unknown }
  | { readonly kind: 'failed'; readonly name: string; readonly reason: string }
  | { readonly kind: 'done' };

/** WebAssembly memory never shrinks: after a big plan the instance is dropped rather than kept at its size. */
const keptMemoryBytes = 64 * 1024 * 1024;
/** The built-in policies and those of a few repositories. */
const maxLoadedPolicies = 8;
/** An answer is a few messages; one of this size would only fill the memory of whoever reads it. */
const maxAnswerLength = 4 * 1024 * 1024;

const { masks } = workerData as ThreadSettings;
const loadedPolicies = new Map<string, LoadedPolicy>();
let now = '';
const builtins = createBuiltins(() => now);

async function answer(question: Question, tell: (news: News) => void): Promise<void> {
  const { digest, packages, planJson, facts, shape } = question;
  now = facts.run.time;
  try {
    const input = writeInput(planJson, facts, shape);
    const mask = createAnswerMask([...masks, ...question.masks], planJson);
    for (const pkg of packages) tell(await answerOf(pkg, question, input, mask));
  } catch (cause) {
    for (const { name } of packages) tell({ kind: 'failed', name, reason: reasonOf(cause) });
  }
  forgetBig(digest);
  tell({ kind: 'done' });
}

/** Policies see the plan in clear; what they say of it does not leave this thread in clear. */
async function answerOf(
  { name, entrypoint }: PolicyPackage,
  question: Question,
  input: ArrayBuffer,
  mask: Mask,
): Promise<News> {
  try {
    const policy = await policyOf(question);
    const resultSet = policy.evaluate(input, entrypoint);
    const { length } = JSON.stringify(resultSet);
    if (length > maxAnswerLength)
      return { kind: 'failed', name, reason: `its answer has ${length} characters` };
    return { kind: 'answered', name, resultSet: maskTexts(resultSet, mask) };
  } catch (cause) {
    // A policy that was thrown out of is in an unknown state.
    loadedPolicies.delete(question.digest);
    return { kind: 'failed', name, reason: mask(reasonOf(cause)) };
  }
}

async function policyOf({ digest, module, maximumPages }: Question): Promise<LoadedPolicy> {
  const known = loadedPolicies.get(digest);
  if (known !== undefined) return known;
  if (loadedPolicies.size >= maxLoadedPolicies) loadedPolicies.clear();
  const policy = await loadPolicy({ module, maximumPages, builtins });
  loadedPolicies.set(digest, policy);
  return policy;
}

function forgetBig(digest: string): void {
  const size = loadedPolicies.get(digest)?.memoryBytes() ?? 0;
  if (size > keptMemoryBytes) loadedPolicies.delete(digest);
}

/** The SDK throws strings and plain objects as well as Errors. */
function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError || cause === 'opa_malloc: failed')
    return 'it needs more memory than it may have';
  if (typeof cause === 'string') return cause;
  const message =
    typeof cause === 'object' && cause !== null && 'message' in cause ? cause.message : undefined;
  return typeof message === 'string' ? message : 'it ended in an unknown way';
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
const port = parentPort;
port.on('message', (question: Question) => answer(question, (news) => port.postMessage(news)));
port.postMessage({ kind: 'ready' } satisfies News);
