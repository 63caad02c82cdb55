// Who has to say yes to what, and who has said it?
import type { LossReason, MissingApproval } from '../../workflows/model/approval.ts';
import type { ApprovalRule } from '../../workflows/model/verdict.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { cutText, inlineText, person } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { join, named, nameList, plural } from './wording.ts';

const maxMessage = 300;
/** More rules than this are no list that anybody reads. */
const maxLinesBytes = 6_000;
/** Of a longer list of people, the first ones are asked. */
const maxPeople = 10;
/** GitHub: 39 characters for a login (48 with an enterprise's suffix), 255 for a team's name after that. */
const maxLogin = 310;

/** "Anyone with write except @mona", "@ana or @octo-org/platform, except @mona". */
export function audience(rule: ApprovalRule, author: string): string {
  const people = rule.by.length === 0 ? 'anyone with write' : peopleList(rule.by, 'or');
  const alone = rule.by.length === 1 && !rule.by[0]?.includes('/');
  return rule.author || alone
    ? people
    : `${people}${rule.by.length === 0 ? '' : ','} except ${person(author)}`;
}

/**
 * One line for each rule that is not met, each yes that counts and each that no longer does. Empty when the
 * headline has said it all: one approval of one project, and nothing given yet.
 */
export function approvalLines({ projects, author }: View): readonly string[] {
  const missing = missingLines(projects, author);
  const given = givenLines(projects);
  const voided = projects.flatMap(({ name, voided }) =>
    voided === null ? [] : [`${named(name)}: ${inlineText(cutText(voided, maxMessage))}`],
  );
  const lost = lostLines(projects);
  const told = !projects.some(asksForAnotherLook);
  if (
    told &&
    missing.length <= 1 &&
    given.length === 0 &&
    !isOverridden(projects) &&
    lost.length + voided.length === 0
  )
    return [];
  const all = [...missing, ...given, ...overrideLines(projects), ...lost, ...voided];
  return fitParagraphs(all, maxLinesBytes, (count) => `and ${count} more`);
}

/** What only the merge asks for: no policy says why at the project itself. */
const asksForAnotherLook = ({ status }: ProjectView): boolean =>
  status.kind === 'waiting-for-approval' && status.missing.some(({ rule }) => rule.source === 'hatchet');

/** "`prod` needs 1 approval by anyone with write except @mona: a database is replaced" */
export function missingLines(projects: readonly ProjectView[], author: string): readonly string[] {
  return together(
    projects.flatMap(({ name, status }) =>
      status.kind === 'waiting-for-approval'
        ? status.missing.map((missing) => ({ name, words: missingWords(missing, author) }))
        : [],
    ),
    ['needs', 'need'],
  );
}

function missingWords({ rule, given }: MissingApproval, author: string): string {
  const all = plural(rule.count, 'approval');
  const why = rule.message === '' ? '' : `: ${inlineText(cutText(rule.message, maxMessage))}`;
  return `${given === 0 ? all : `${rule.count - given} more of ${all}`} by ${audience(rule, author)}${why}`;
}

/** "`prod` and `dns` are approved by @hubot" */
export function givenLines(projects: readonly ProjectView[]): readonly string[] {
  return together(
    projects.flatMap(({ name, approvedBy }) => {
      return approvedBy.length === 0 ? [] : [{ name, words: `approved by ${peopleList(approvedBy, 'and')}` }];
    }),
    ['is', 'are'],
  );
}

const isOverridden = (projects: readonly ProjectView[]): boolean => overrideLines(projects).length > 0;

/** "`prod`: `protect` is overridden by @root: the old database is gone already" */
function overrideLines(projects: readonly ProjectView[]): readonly string[] {
  return projects.flatMap(({ name, verdicts }) =>
    verdicts.flatMap(({ policy, overridden }) =>
      overridden === undefined
        ? []
        : [
            `${named(name)}: ${named(policy)} is overridden by ${person(cutText(overridden.by, maxLogin))}: ${inlineText(cutText(overridden.reason, maxMessage))}`,
          ],
    ),
  );
}

/** Why a yes to the plan on show is gone: what the line says after the person's name. */
export const lossWords: Readonly<Record<LossReason, string>> = {
  'review dismissed': 'the review was dismissed',
  'review withdrawn': 'the review is not there any more',
  'changes requested': 'a later review requests changes',
  'right lost': 'the right to give it is gone',
  'apply begun': 'the apply that it was for was begun',
  'plan changed': 'another plan has been on show since',
  'pushed since': 'whoever pushed the newest commit counts as an author',
};

/** "`prod`: the approval of @hubot no longer counts: the review was dismissed" */
function lostLines(projects: readonly ProjectView[]): readonly string[] {
  return projects.flatMap(({ name, lost }) =>
    lost.map(
      ({ login, why }) =>
        `${named(name)}: the approval of ${person(cutText(login, maxLogin))} no longer counts: ${lossWords[why]}`,
    ),
  );
}

/** "@ana, @hubot and @octo-org/platform" */
export function peopleList(logins: readonly string[], word: 'and' | 'or'): string {
  const people = [...new Set(logins.map((login) => cutText(login, maxLogin)))];
  const shown = people.slice(0, maxPeople).map(person);
  const more = people.length - shown.length;
  return join(more > 0 ? [...shown, `${more} more`] : shown, word);
}

/** Projects of which the same is said, in one line. */
function together(
  said: readonly { readonly name: string; readonly words: string }[],
  [one, many]: readonly [string, string],
): readonly string[] {
  return [...Map.groupBy(said, ({ words }) => words)].map(
    ([words, projects]) =>
      `${nameList(projects.map(({ name }) => name))} ${projects.length === 1 ? one : many} ${words}`,
  );
}
