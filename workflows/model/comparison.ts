// What of an approved plan is done, as far as a fresh plan of the same source can tell?
import type { ChangeAction, PlanChanges } from './change.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { StateLock } from './state-lock.ts';
import type { UnwrittenState } from './unwritten-state.ts';

/**
 * `done`: the fresh plan has nothing to do there any more. `not done`: it would do the same as was approved.
 * `different`: it would do something else, or something that was not in the approved plan.
 */
export type Fate = 'done' | 'not done' | 'different';

/** `approved`, `now`: what each plan does with it; null = nothing. Outputs are named `output.NAME`. */
export type ItemFate = {
  readonly address: string;
  readonly approved: ChangeAction | 'output' | null;
  readonly now: ChangeAction | 'output' | null;
  readonly fate: Fate;
};

export type Comparison = {
  /** Of the approved changes: how many there were, and how many are done. */
  readonly total: number;
  readonly done: number;
  readonly counts: Readonly<Record<Fate, number>>;
  /** The first ones only, at most `maxFatesCarried`; what needs somebody's eyes comes first. */
  readonly items: readonly ItemFate[];
};

/** What was found out about an apply whose outcome nobody knows. */
export type Finding =
  /** `same`: nothing is left to do, so everything was applied. */
  | {
      readonly kind: 'compared';
      readonly same: boolean;
      readonly comparison: Comparison;
      /** Its runner has said that its Terraform has come to its end. */
      readonly over?: true;
      /** Until then (ISO 8601) Terraform may still be at work there; absent: it is known to be over. */
      readonly atWorkUntil?: string;
    }
  /** Somebody holds Terraform's state lock: Terraform still runs, or left it behind. `own`: it is that apply's. */
  | { readonly kind: 'state-locked'; readonly lock: StateLock; readonly own: boolean }
  /** The state that it could not write is not put back: a plan from the older one would make everything again. */
  | { readonly kind: 'unwritten'; readonly state: UnwrittenState }
  | { readonly kind: 'not-compared'; readonly diagnostics: readonly Diagnostic[] };

/** Ids of the locks that the applies left behind themselves. */
export const ownLocksOf = (findings: readonly Finding[]): readonly string[] =>
  findings.flatMap((finding) => (finding.kind === 'state-locked' && finding.own ? [finding.lock.id] : []));

/** History holds references and counts; a table that people read has no more rows. */
export const maxFatesCarried = 30;
/** An address can hold a key of any length. */
const maxAddressLength = 200;

/** `same`: the fresh plan would change nothing at all. Reading is nothing that is done to the world. */
export function compareChanges(approved: PlanChanges, fresh: PlanChanges): Comparison {
  const [before, after] = [itemsOf(approved), itemsOf(fresh)];
  const known = [...before].map(([key, item]) => fateOf(item, after.get(key)));
  const others = [...after].filter(([key]) => !before.has(key)).map(([, item]) => fateOf(undefined, item));
  const all = [...known, ...others].sort((left, right) => rank[left.fate] - rank[right.fate]);
  const counted = (fate: Fate): number => all.filter((item) => item.fate === fate).length;
  return {
    total: known.length,
    done: known.filter(({ fate }) => fate === 'done').length,
    counts: { done: counted('done'), 'not done': counted('not done'), different: counted('different') },
    items: all.slice(0, maxFatesCarried),
  };
}

const rank: Readonly<Record<Fate, number>> = { different: 0, 'not done': 1, done: 2 };

type Item = {
  readonly address: string;
  readonly action: ChangeAction | 'output';
  /** What it would come to: two of the same text are the same piece of work. */
  readonly work: string;
};

/** A deposed object stands beside the object of its address. */
function itemsOf({ resources, outputs }: PlanChanges): ReadonlyMap<string, Item> {
  const items = resources
    .filter(({ action }) => action !== 'read')
    .map((change): [string, Item] => {
      const { address, action, deposed, attributes } = change;
      const name = deposed === undefined ? address : `${address} (deposed ${deposed})`;
      return [`resource ${name}`, { address: name, action, work: JSON.stringify([action, attributes]) }];
    });
  const named = outputs.map((change): [string, Item] => {
    const item: Item = {
      address: `output.${change.name}`,
      action: 'output',
      work: JSON.stringify([change.before, change.after]),
    };
    return [`output ${change.name}`, item];
  });
  return new Map([...items, ...named]);
}

function fateOf(approved: Item | undefined, now: Item | undefined): ItemFate {
  const address = (approved ?? now)?.address ?? '';
  return {
    address: address.length > maxAddressLength ? `${address.slice(0, maxAddressLength)}…` : address,
    approved: approved?.action ?? null,
    now: now?.action ?? null,
    fate: now === undefined ? 'done' : now.work === approved?.work ? 'not done' : 'different',
  };
}
