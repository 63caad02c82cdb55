// How is the place of one attribute written in HCL?

export type Step = string | number;

/** HCL: a letter or underscore, then letters, digits, underscores, hyphens. */
const identifier = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/**
 * `tags["env"]`, `ingress[0].cidr_blocks`. The plan's JSON does not tell a map from an object: a key below a list
 * is written as an attribute of a block, a key below a key as a key of a map. Both are valid HCL for either.
 */
export function pathText(steps: readonly Step[]): string {
  return steps.map((step, index) => stepText(step, steps[index - 1])).join('');
}

function stepText(step: Step, previous: Step | undefined): string {
  if (typeof step === 'number') return `[${step}]`;
  if (!identifier.test(step)) return `[${quoted(step)}]`;
  if (previous === undefined) return step;
  return typeof previous === 'number' ? `.${step}` : `[${quoted(step)}]`;
}

function quoted(key: string): string {
  return JSON.stringify(key).replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** Whether one of the two lies at or below the other. */
export function isOnOnePath(left: readonly unknown[], right: readonly unknown[]): boolean {
  const length = Math.min(left.length, right.length);
  return left.slice(0, length).every((step, index) => step === right[index]);
}
