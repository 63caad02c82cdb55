// What did a policy really say? Anything but a clear answer is an error.
import { z } from 'zod';
import type { ApprovalRule, Finding, Verdict } from '../../workflows/model/verdict.ts';
import type { PolicyPackage } from './bundle.ts';
import { inputMark } from './packages.ts';

/** What came back for one package: OPA's raw result set, or why there is none. */
export type PackageAnswer =
  | { readonly kind: 'answered'; readonly package: PolicyPackage; readonly resultSet: unknown }
  | { readonly kind: 'failed'; readonly package: PolicyPackage; readonly reason: string };

/** Verdicts travel through workflow history, which holds little; what is left out is counted. */
const maxFindings = 20;
const maxMessageLength = 300;
/** More rules than this cannot be shown to be met; cutting them off would let a plan pass. */
const maxApprovalRules = 10;
const maxApprovalCount = 10;

const message = z.string().min(1);
/** A string, or conftest's object: `msg` is required, other keys are the policy's own. */
const finding = z.union([message, z.looseObject({ msg: message, address: z.string().optional() })]);
const findings = z.array(finding);
/** Keys are strict: a misspelt `count` or `by` would ask for less than was meant. */
const approval = z.union([
  message,
  z.strictObject({
    msg: message,
    count: z.int().min(1).max(maxApprovalCount).default(1),
    by: z.array(z.string().min(1)).default([]),
  }),
]);
const approvals = z.array(approval).max(maxApprovalRules);
const resultSet = z.tuple([z.object({ result: z.record(z.string(), z.unknown()) })]);

/**
 * The verdict of one package. Undefined rules, anything that is not a set, unknown shapes and failures give a
 * verdict with `error`, which blocks.
 */
export function readVerdict(answer: PackageAnswer, level: Verdict['level']): Verdict {
  const policy = policyName(answer.package.name);
  const verdict = { policy, level, denials: [], warnings: [], approvals: [], error: null };
  const failed = (error: string): Verdict => ({ ...verdict, error: cut(error) });
  if (answer.kind === 'failed') return failed(answer.reason);

  const parsed = resultSet.safeParse(answer.resultSet);
  if (!parsed.success) return failed('it gave no answer');
  const said = parsed.data[0].result;
  if (said[inputMark] !== true) return failed('the plan did not reach it');
  const { rules } = answer.package;
  if (rules.length === 0) return failed('it has no rule named deny, warn or approve');
  const wrong = rules.find((rule) => !shapeOf(rule).safeParse(said[rule]).success);
  if (wrong !== undefined) return failed(complaint(wrong, said[wrong]));

  const pick = (pattern: RegExp) => rules.filter((rule) => pattern.test(rule)).map((rule) => said[rule]);
  return {
    ...verdict,
    denials: readFindings(pick(/^(?:deny|violation)/)),
    warnings: readFindings(pick(/^warn/)),
    approvals: readApprovals(pick(/^approve$/), policy),
  };
}

/** `hatchet.destroy` is shown as `destroy`. */
export function policyName(packageName: string): string {
  return packageName.replace(/^hatchet\./, '');
}

function shapeOf(rule: string): z.ZodType {
  return rule === 'approve' ? approvals : findings;
}

function complaint(rule: string, value: unknown): string {
  if (value === undefined) return `its rule ${rule} is undefined`;
  if (!Array.isArray(value)) return `its rule ${rule} is not a set`;
  return `its rule ${rule} holds something that is neither a text nor an object with the keys it may have`;
}

/** OPA gives sets in the order of its hashes: sorted, so that equal answers look equal. */
function readFindings(values: readonly unknown[]): readonly Finding[] {
  const all = values
    .flatMap((value) => findings.parse(value))
    .map((said): Finding => {
      if (typeof said === 'string') return { message: cut(said) };
      const text = { message: cut(said.msg) };
      return said.address === undefined ? text : { ...text, address: said.address };
    })
    .sort((left, right) => compare(sortKey(left), sortKey(right)));
  const rest = all.length - maxFindings;
  return rest > 0 ? [...all.slice(0, maxFindings), { message: `and ${rest} more` }] : all;
}

function readApprovals(values: readonly unknown[], source: string): readonly ApprovalRule[] {
  return values
    .flatMap((value) => approvals.parse(value))
    .map((said) => (typeof said === 'string' ? { msg: said, count: 1, by: [] } : said))
    .map(({ msg, count, by }) => ({ count, by: by.toSorted(), message: cut(msg), author: false, source }))
    .sort((left, right) => compare(JSON.stringify(left), JSON.stringify(right)));
}

function sortKey({ address = '', message }: Finding): string {
  return `${address}\n${message}`;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function cut(text: string): string {
  const characters = [...text.slice(0, maxMessageLength * 2)];
  return characters.length > maxMessageLength
    ? `${characters.slice(0, maxMessageLength - 1).join('')}…`
    : text;
}
