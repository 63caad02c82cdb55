// What did the policies say, in a word for the table and in sentences for the block?
import type { Finding, Verdict } from '../../workflows/model/verdict.ts';
import { blocks, builtInPolicies, summarizeVerdict } from '../../workflows/model/verdict.ts';
import type { ProjectView } from '../../workflows/model/view.ts';
import { peopleList } from './approvals.ts';
import { cutText, inlineText, person } from './markdown.ts';
import { named, plural } from './wording.ts';

/** More sentences than this for one project are counted: a policy that fires on each of 500 resources says it once. */
const maxSentences = 12;
const maxMessage = 500;

/** The table's word; empty before the policies have answered. */
export function policyWord(project: ProjectView): string {
  const { verdicts, status } = project;
  if (verdicts.length === 0) return '';
  if (verdicts.some((verdict) => summarizeVerdict(verdict) === 'error')) return 'could not be evaluated';
  if (verdicts.some(blocks)) return 'denied';
  if (status.kind === 'waiting-for-approval') {
    return `needs ${plural(Math.max(0, ...status.missing.map(({ rule, given }) => rule.count - given)), 'approval')}`;
  }
  if (verdicts.some((verdict) => summarizeVerdict(verdict) === 'overridden')) return 'overridden';
  const asked = verdicts.some((verdict) => verdict.approvals.length > 0);
  const word = asked && project.approvedBy.length > 0 ? 'approved' : asked ? 'asks for approval' : 'passed';
  const advice = verdicts.reduce((sum, verdict) => sum + verdict.denials.length + verdict.warnings.length, 0);
  return advice === 0 ? word : `${word}, ${plural(advice, 'warning')}`;
}

/** What no approval can overcome: policies that said no, and those that gave no answer. */
export function blockingSentences(verdicts: readonly Verdict[]): readonly string[] {
  return cut([...verdicts.flatMap(errors), ...verdicts.filter(blocks).flatMap(denials)]);
}

/** "`destroy` needs approval: a database is replaced." What else was said; a pass says nothing. */
export function otherSentences(verdicts: readonly Verdict[]): readonly string[] {
  const advice = verdicts.filter((verdict) => !blocks(verdict)).flatMap(denials);
  return cut([...verdicts.flatMap(needs), ...advice, ...verdicts.flatMap(warnings)]);
}

/** What stops an apply, as far as the remedy depends on it. `unevaluated`: one of the policies gave no answer. */
export type Denial = {
  readonly policies: readonly string[];
  readonly overriders?: readonly string[] | undefined;
  readonly unevaluated?: boolean | undefined;
};

/**
 * What lifts a denial depends on what the policy looks at, and nobody but the policy knows that. Where one gave no
 * answer there is nothing to set aside, and other words would not bring one.
 */
export function denialRemedy({ policies, overriders = [], unevaluated = false }: Denial): string {
  if (unevaluated) return 'remove the cause and push, or comment `/hatchet plan` when it is gone.';
  const own = policies.some((policy) => !builtInPolicies.includes(policy));
  const otherwise = own
    ? ', or change the label or the title that it looks at. Where it looks at the time, comment `/hatchet plan` when that has come'
    : '';
  const aside =
    overriders.length === 0
      ? ''
      : ` Or ${peopleList(overriders, 'or')} can set it aside: \`/hatchet override PROJECT --reason "…"\`.`;
  return `push${otherwise}.${aside}`;
}

function cut(sentences: readonly string[]): readonly string[] {
  if (sentences.length <= maxSentences) return sentences;
  return [...sentences.slice(0, maxSentences - 1), `${sentences.length - maxSentences + 1} more findings.`];
}

function errors({ policy, error }: Verdict): readonly string[] {
  return error === null
    ? []
    : [`${named(policy)} could not be evaluated, which counts as a no: ${words(error)}`];
}

function denials({ policy, level, denials, overridden }: Verdict): readonly string[] {
  const verb =
    overridden !== undefined
      ? `denied this, overridden by ${person(overridden.by)} (${words(overridden.reason)})`
      : level === 'mandatory'
        ? 'denies this'
        : 'advises against this';
  return denials.map((finding) => `${named(policy)} ${verb}: ${findingWords(finding)}`);
}

function needs({ policy, approvals }: Verdict): readonly string[] {
  return approvals.map(
    (rule) =>
      `${named(policy)} needs ${rule.count === 1 ? 'approval' : plural(rule.count, 'approval')}: ${words(rule.message)}`,
  );
}

function warnings({ policy, warnings }: Verdict): readonly string[] {
  return warnings.map((finding) => `${named(policy)} warns: ${findingWords(finding)}`);
}

function findingWords({ message, address }: Finding): string {
  return words(message) + (address === undefined ? '' : ` (${named(address)})`);
}

function words(message: string): string {
  return inlineText(cutText(message, maxMessage));
}
