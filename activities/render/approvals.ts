// Who has to say yes to what, and who has said it?
import type { ApprovalRule } from '../../workflows/model/verdict.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { cutText, inlineText, person } from './markdown.ts';
import { join, named, plural } from './wording.ts';

const maxMessage = 300;
/** Projects whose approvals are listed one by one; the table shows the others. */
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
export function approvalLines(view: View): readonly string[] {
  const missing = view.projects.flatMap((project) => missingLines(project, view.author));
  const given = view.projects.flatMap(givenLines);
  const voided = view.projects.flatMap(({ name, voided }) =>
    voided === null ? [] : [`${named(name)}: ${inlineText(cutText(voided, maxMessage))}`],
  );
  if (missing.length <= 1 && given.length === 0 && voided.length === 0) return [];
  const all = [...missing, ...given, ...voided];
  return all.length <= maxLines ? all : [...all.slice(0, maxLines), `and ${all.length - maxLines} more`];
}

/** "`prod` needs 1 approval by anyone with write except @mona: a database is replaced" */
export function missingLines({ name, status }: ProjectView, author: string): readonly string[] {
  if (status.kind !== 'waiting-for-approval') return [];
  return status.missing.map(({ rule, given }) => {
    const count =
      given === 0
        ? plural(rule.count, 'approval')
        : `${rule.count - given} more of ${plural(rule.count, 'approval')}`;
    const why = rule.message === '' ? '' : `: ${inlineText(cutText(rule.message, maxMessage))}`;
    return `${named(name)} needs ${count} by ${audience(rule, author)}${why}`;
  });
}

export function givenLines({ name, approvedBy }: ProjectView): readonly string[] {
  const people = [...new Set(approvedBy)].map(person);
  return people.length === 0 ? [] : [`${named(name)} is approved by ${join(people, 'and')}`];
}
