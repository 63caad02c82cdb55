// Who has to say yes to what, and who has said it?
import type { MissingApproval } from '../../workflows/model/approval.ts';
import type { ApprovalRule } from '../../workflows/model/verdict.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { cutText, inlineText, person } from './markdown.ts';
import { join, named, nameList, plural } from './wording.ts';

const maxMessage = 300;
/** More rules than this are no list that anybody reads. */
const maxLines = 30;

/** "Anyone with write except @mona", "@ana or @octo-org/platform, except @mona". */
export function audience(rule: ApprovalRule, author: string): string {
  const people = rule.by.length === 0 ? 'anyone with write' : join(rule.by.map(person), 'or');
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
  if (missing.length <= 1 && given.length === 0 && voided.length === 0) return [];
  const all = [...missing, ...given, ...voided];
  return all.length <= maxLines ? all : [...all.slice(0, maxLines), `and ${all.length - maxLines} more`];
}

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
      const people = [...new Set(approvedBy)].map(person);
      return people.length === 0 ? [] : [{ name, words: `approved by ${join(people, 'and')}` }];
    }),
    ['is', 'are'],
  );
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
