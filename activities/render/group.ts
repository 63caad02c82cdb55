// What does a check on a merge group's commit say?
import type { Check } from '../../workflows/model/check.ts';
import type { GroupFindings, GroupProjectView, GroupView } from '../../workflows/model/merge-group-checks.ts';
import { audience } from './approvals.ts';
import { barRemedy, barWords } from './branch-bar.ts';
import { unmetWords } from './checklist.ts';
import type { RenderedCheck } from './checks.ts';
import { countsAhead } from './counts.ts';
import { annotationsOf, diagnosticText } from './diagnostics.ts';
import { cutText, inlineCode, inlineText, person, plainTitle } from './markdown.ts';
import { fitParagraphs, joinParagraphs } from './paragraphs.ts';
import { unplannedProblems } from './problems.ts';
import { blockingSentences, otherSentences } from './verdicts.ts';
import { join, named, nameList, plural } from './wording.ts';

/** GitHub documents no limit for titles; its list of checks shows about this much. */
const maxTitle = 200;
/** Checks API: 65,535 bytes each for summary and text; a little less leaves room for the note that something is cut. */
const maxBytes = 65_000;
const maxMessage = 300;
const again = 'then put it into the queue again';

/** A group's checks have no buttons: its plans are approved on the pull requests. */
export function renderGroupCheck(check: Check, view: GroupView): RenderedCheck {
  const { annotations, others } = annotationsOf(check.annotations);
  const projects = view.findings.kind === 'projects' ? view.findings.projects : [];
  const said = detailsOf(check, projects);
  const text = cut([...others.map(diagnosticText), ...said]);
  return {
    title: plainTitle(check.title, maxTitle),
    summary: cut([stateOf(view.findings), ...projects.map((project) => `- ${projectLine(project)}`)]),
    text: text === '' ? null : text,
    annotations,
    actions: [],
  };
}

function stateOf(findings: GroupFindings): string {
  switch (findings.kind) {
    case 'inspecting':
      return '**Planning this merge group.**';
    case 'destroyed':
      return '**The merge group is gone.** GitHub took it apart before its plans were compared.';
    case 'overdue':
      return '**The plans of this merge group were not there shortly before its merge queue gives up.** Put its pull requests into the queue again, or let the queue wait longer: “Status check timeout” of the branch.';
    case 'config-broken':
      return '**`hatchet.yaml` is broken.** Nothing is planned until it is mended.';
    case 'fork':
      return `**Not planned: ${join(findings.numbers.map(numbered), 'and')} comes from a fork, and nobody allowed the plan of its newest commit.** Comment \`/hatchet plan\` with that commit there, ${again}.`;
    case 'operator-error':
      return `**Hatchet could not finish.** Your code is not the cause. Whoever runs Hatchet finds it in the log under ${inlineCode(findings.runId)}.`;
    case 'projects':
      return findings.projects.length === 0
        ? '**No Terraform project is affected.**'
        : '**What merging this group would do, compared with what was approved.**';
    default:
      return findings satisfies never;
  }
}

const numbered = (number: number): string => `#${number}`;

function projectLine({ name, plan, answer }: GroupProjectView): string {
  const counts = plan === null ? '' : `${countsAhead(plan.counts, plan.outputChanges)}; `;
  return `${named(name)}: ${counts}${answerWords(answer)}`;
}

function answerWords(answer: GroupProjectView['answer']): string {
  switch (answer.kind) {
    case 'planning':
      return 'being planned.';
    case 'failed':
      return 'could not be planned, see `hatchet/plan`.';
    case 'after':
      return `planned again when ${nameList(answer.projects)} is applied.`;
    case 'no-changes':
      return 'nothing to apply.';
    case 'never-shown':
      return `no pull request of this group shows its plan. Comment \`/hatchet plan\` there, ${again}.`;
    case 'differs':
      return `not the plan on ${join(answer.numbers.map(numbered), 'and')}: what is merged before it changes it. Wait until that is applied and the plan there is made again, ${again}.`;
    case 'barred':
      return `${barWords(answer.bar)}. ${barRemedy(answer.bar)}`;
    case 'denied':
      return `denied by ${nameList(answer.policies)}, see \`hatchet/policy\`.`;
    case 'rejected':
      return `rejected by ${person(answer.by)} on ${numbered(answer.number)}.`;
    case 'approvals-missing':
      return `${missingWords(answer)} on ${numbered(answer.number)}, ${again}.`;
    case 'unreviewed':
      return `${unmetWords(answer.unmet)}, on ${numbered(answer.number)}, ${again}.`;
    case 'not-applied':
      return `to be applied before it is merged: comment \`/hatchet apply\` on its pull request, ${again}.`;
    case 'approved':
      return `the plan on ${numbered(answer.number)}, with all approvals.`;
    default:
      return answer satisfies never;
  }
}

function missingWords({
  missing,
  author,
}: Extract<GroupProjectView['answer'], { kind: 'approvals-missing' }>): string {
  const rules = missing.map(({ rule, given }) => {
    const why = rule.message === '' ? '' : ` (${inlineText(cutText(rule.message, maxMessage))})`;
    return `${plural(rule.count - given, 'approval')} by ${audience(rule, author)}${why}`;
  });
  return `needs ${join(rules, 'and')}`;
}

function detailsOf({ name }: Check, projects: readonly GroupProjectView[]): readonly string[] {
  if (name === 'hatchet/policy') return policyLines(projects);
  if (name !== 'hatchet/plan') return [];
  return projects.flatMap(({ name: project, answer }) =>
    answer.kind === 'after' ? unplannedProblems(project, answer) : [],
  );
}

function policyLines(projects: readonly GroupProjectView[]): readonly string[] {
  return projects.flatMap(({ name, verdicts }) =>
    [...blockingSentences(verdicts), ...otherSentences(verdicts)].map(
      (sentence) => `- ${named(name)}: ${sentence}`,
    ),
  );
}

function cut(paragraphs: readonly string[]): string {
  const fitted = fitParagraphs(
    paragraphs,
    maxBytes,
    (count) => `${plural(count, 'more paragraph')} left out.`,
  );
  return joinParagraphs(fitted);
}
