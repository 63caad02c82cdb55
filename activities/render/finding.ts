// What was found out about an apply whose outcome nobody knows, and what can be done about it?
import { markdownTable } from 'markdown-table';
import type { Comparison, Fate, Finding, ItemFate } from '../../workflows/model/comparison.ts';
import { isLockId, type StateLock } from '../../workflows/model/state-lock.ts';
import { diagnosticText } from './diagnostics.ts';
import { cutText, inlineCode, inlineText, tableCell } from './markdown.ts';
import { unwrittenParagraph } from './unwritten-state.ts';
import { moment, named, plural } from './wording.ts';

const maxProblems = 3;
const maxLockText = 200;

/** Paragraphs of Markdown; none while nothing was found out. */
export function findingParagraphs(project: string, finding: Finding | undefined): readonly string[] {
  if (finding === undefined) return [];
  switch (finding.kind) {
    case 'compared':
      return [
        ...comparisonParagraphs(project, finding.comparison),
        ...(finding.atWorkUntil === undefined ? [] : [atWorkSentence(project, finding.atWorkUntil)]),
      ];
    case 'state-locked':
      return [lockSentence(project, finding.lock, finding.own)];
    case 'unwritten':
      return [unwrittenParagraph(project, finding.state)];
    case 'not-compared':
      return [
        `${named(project)}: what is there could not be compared with the plan. Comment \`/hatchet plan\` to have it tried again.`,
        ...finding.diagnostics.slice(0, maxProblems).map(diagnosticText),
      ];
    default:
      return finding satisfies never;
  }
}

/** Terraform writes the state after each resource, or only now and then: what it did after that it knows nothing of. */
function comparisonParagraphs(project: string, comparison: Comparison): readonly string[] {
  const { done, total, counts, items } = comparison;
  const more = counts.done + counts['not done'] + counts.different - items.length;
  return [
    `${named(project)}: a new plan of the same code finds ${done} of ${plural(total, 'change')} done, as far as the state tells: something that was created and not written down there is not known.`,
    markdownTable([['Resource', 'Approved', 'Now', 'Outcome'], ...items.map(cells)], {
      align: ['l', 'l', 'l', 'l'],
    }),
    ...(more > 0 ? [`${plural(more, 'more change')}, see the log.`] : []),
  ];
}

/** `until`: ISO 8601. Where the state has no lock, nothing else tells. */
function atWorkSentence(project: string, until: string): string {
  return `**Terraform may still be at work on ${named(project)}:** contact with its runner was lost, and nothing says yet that it has ended. What is told here may change, and what is accepted or unlocked now may be changed by it afterwards. **Apply the rest** is offered when its runner is back and says that it is over, or after ${moment(until)}, when no apply of this project may go on any longer.`;
}

const outcomeWords: Readonly<Record<Fate, string>> = {
  done: 'done',
  'not done': 'not done',
  different: '**different**',
};

function cells({ address, approved, now, fate }: ItemFate): readonly string[] {
  const words = (action: ItemFate['approved']): string => (action === 'output' ? 'change' : (action ?? ''));
  return [tableCell(inlineCode(address)), words(approved), words(now), outcomeWords[fate]];
}

function lockSentence(project: string, lock: StateLock, own: boolean): string {
  const id = inlineCode(cutText(lock.id, maxLockText));
  const who = lock.who === '' ? '' : `, taken by ${inlineText(cutText(lock.who, maxLockText))}`;
  const when = lock.created === '' ? '' : ` on ${moment(lock.created)}`;
  const held = `${named(project)}: the state is locked (lock ${id}${who}${when}), so what is done cannot be told yet; it is looked at again from time to time.`;
  return own
    ? `${held} It is the lock of this very apply: Terraform is still at work, or it was killed and left the lock behind. When it runs no more, **Force-unlock state** breaks the lock.`
    : `${held} Hatchet cannot tell that it is this apply's, so it does not break it.${byHand(lock)}`;
}

function byHand({ id }: StateLock): string {
  return isLockId(id)
    ? ` Whoever runs Terraform here, and knows that nobody else is at work, can: ${inlineCode(`terraform force-unlock ${id}`)}.`
    : '';
}
