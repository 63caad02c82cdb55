// How many of what, in words?
import type { ChangeAction } from '../../workflows/model/change.ts';
import type { ChangeCounts } from '../../workflows/model/plan.ts';

const riskFirst = ['destroy', 'replace', 'forget', 'change', 'add', 'move', 'import'] as const;
const past: Record<keyof ChangeCounts, string> = {
  add: 'added',
  change: 'changed',
  replace: 'replaced',
  destroy: 'destroyed',
  import: 'imported',
  move: 'moved',
  forget: 'forgotten',
};

/** "1 to replace, 1 to change, 2 to add": what cannot be taken back first. */
export function countsAhead(counts: Partial<ChangeCounts>, outputChanges: number): string {
  return listed(riskFirst, counts, (part) => `to ${part}`, outputChanges);
}

/** "4 added, 2 changed, 1 replaced". */
export function countsDone(counts: Partial<ChangeCounts>, outputChanges: number): string {
  const order = ['add', 'change', 'replace', 'destroy', 'import', 'move', 'forget'] as const;
  return listed(order, counts, (part) => past[part], outputChanges);
}

function listed(
  order: readonly (keyof ChangeCounts)[],
  counts: Partial<ChangeCounts>,
  word: (part: keyof ChangeCounts) => string,
  outputChanges: number,
): string {
  const parts = order.flatMap((part) => (counts[part] ? [`${counts[part]} ${word(part)}`] : []));
  if (parts.length > 0) return parts.join(', ');
  return outputChanges > 0 ? 'only outputs change' : 'no changes';
}

const countOf: Record<ChangeAction, keyof ChangeCounts | null> = {
  delete: 'destroy',
  replace: 'replace',
  forget: 'forget',
  update: 'change',
  create: 'add',
  move: 'move',
  import: 'import',
  read: null,
};

/** The same counts, from the actions of single changes; outputs are not resources and count apart. */
export function countsByAction(actions: ReadonlyMap<ChangeAction | 'output', number>): {
  readonly counts: Partial<ChangeCounts>;
  readonly outputChanges: number;
} {
  const counts: Partial<Record<keyof ChangeCounts, number>> = {};
  for (const [action, count] of actions) {
    const part = action === 'output' ? null : countOf[action];
    if (part !== null) counts[part] = (counts[part] ?? 0) + count;
  }
  return { counts, outputChanges: actions.get('output') ?? 0 };
}
