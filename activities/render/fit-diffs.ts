// Which changes of which plans fit into a limited number of bytes?
import type { ChangeGroup } from './plan-diff.ts';

/** What is shown of one plan: whole lines of a diff block, and how many changes are not among them. */
export type FittedDiff = {
  readonly risky: readonly string[];
  readonly rest: readonly string[];
  /** How many of which action are in `rest`, in order. */
  readonly shownRest: ReadonlyMap<ChangeGroup['action'], number>;
  readonly left: ReadonlyMap<ChangeGroup['action'], number>;
  /** Changes whose name is shown but not what changes. */
  readonly named: number;
};

/** Of changes that read the same, this many are named; risky ones always all. */
const namesPerGroup = 3;

/** A resource with more text than this is no reason to leave out those that follow it. */
const giantBytes = 8_000;

type Slot = {
  readonly group: ChangeGroup;
  readonly headers: readonly string[];
  shown: number;
  body: readonly string[] | null;
};
const emptyLines = 2;

type Stage = (slots: readonly Slot[], allowance: number) => number;

/**
 * Names of what is destroyed, replaced or forgotten come first in every plan, then their attributes, then the
 * other changes. In each stage every plan gets its share, and what one does not need goes to the others.
 */
export function fitDiffs(plans: readonly (readonly ChangeGroup[])[], budget: number): readonly FittedDiff[] {
  const slots = plans.map((groups) => groups.map(slotOf));
  const risky = slots.map((plan) => plan.filter(({ group }) => group.risky));
  const rest = slots.map((plan) => plan.filter(({ group }) => !group.risky));
  let left = budget;
  left -= share(risky, left, nameSome);
  left -= share(risky, left, describe);
  left -= share(rest, left, showWhole);
  share(rest, left, describe);
  return slots.map((_, index) => fitted(risky[index] ?? [], rest[index] ?? []));
}

function slotOf(group: ChangeGroup): Slot {
  const named = group.risky ? group.headers : group.headers.slice(0, namesPerGroup);
  const others = group.headers.length - named.length;
  const symbol = named[0]?.split(' ')[0];
  const headers =
    others > 0 ? [...named, `${symbol} … ${others} more like these, ×${group.headers.length} in all`] : named;
  return { group, headers, shown: 0, body: null };
}

/** Twice over all plans: first each within its fair share, then first come, first served. Returns bytes spent. */
function share(plans: readonly (readonly Slot[])[], budget: number, stage: Stage): number {
  let left = budget;
  plans.forEach((plan, index) => {
    left -= stage(plan, Math.floor(left / (plans.length - index)));
  });
  for (const plan of plans) left -= stage(plan, left);
  return budget - left;
}

/** Names, as many as fit. */
function nameSome(slots: readonly Slot[], allowance: number): number {
  let left = allowance;
  for (const slot of slots) {
    while (slot.shown < slot.headers.length) {
      const cost = bytes(slot.headers.slice(slot.shown, slot.shown + 1));
      if (cost > left) return allowance - left;
      left -= cost;
      slot.shown++;
    }
  }
  return allowance - left;
}

/** What changes, for each that is named in full; a large one must not keep the smaller ones out. */
function describe(slots: readonly Slot[], allowance: number): number {
  let left = allowance;
  for (const slot of slots) {
    if (slot.body !== null || slot.shown < slot.headers.length) continue;
    const body = slot.group.body();
    const cost = bytes(body);
    if (cost > left) continue;
    left -= cost;
    slot.body = body;
  }
  return allowance - left;
}

/** Names with what changes, in order, until one does not fit; a giant is only named and keeps nothing else out. */
function showWhole(slots: readonly Slot[], allowance: number): number {
  let left = allowance;
  for (const slot of slots) {
    if (slot.shown > 0) continue;
    const names = bytes(slot.headers);
    if (names > left) break;
    const body = slot.group.body();
    const cost = names + bytes(body);
    if (cost > left && bytes(body) < giantBytes) break;
    const whole = cost <= left;
    left -= whole ? cost : names;
    slot.shown = slot.headers.length;
    slot.body = whole ? body : null;
  }
  return allowance - left;
}

function fitted(risky: readonly Slot[], rest: readonly Slot[]): FittedDiff {
  const left = new Map<ChangeGroup['action'], number>();
  const shownRest = new Map<ChangeGroup['action'], number>();
  for (const { group, headers, shown } of [...risky, ...rest]) {
    const missing = shown === headers.length ? 0 : group.headers.length - shown;
    if (missing > 0) left.set(group.action, (left.get(group.action) ?? 0) + missing);
    else if (!group.risky)
      shownRest.set(group.action, (shownRest.get(group.action) ?? 0) + group.headers.length);
  }
  const named = [...risky, ...rest]
    .filter(({ shown, body }) => shown > 0 && body === null)
    .reduce((sum, slot) => sum + slot.shown, 0);
  return { risky: linesOf(risky), rest: linesOf(rest), shownRest, left, named };
}

/** An empty line around what has attributes; bare names stay together. */
function linesOf(slots: readonly Slot[]): readonly string[] {
  const lines: string[] = [];
  let spaced = false;
  for (const { headers, shown, body } of slots) {
    if (lines.length > 0 && shown > 0 && (spaced || body?.length)) lines.push('');
    lines.push(...headers.slice(0, shown), ...(body ?? []));
    spaced = Boolean(body?.length);
  }
  return lines;
}

/** In UTF-8, with the line feed of each line, and those of the empty lines around a body. */
function bytes(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, emptyLines);
}
