// Which attributes of one object differ, and what of them may be shown?
import type { AttributeChange, Value } from '../../workflows/model/change.ts';
import type { Step } from './attribute-path.ts';
import { isOnOnePath, pathText } from './attribute-path.ts';
import { isExactNumber, isRecord, isSame } from './exact-json.ts';
import type { Mask } from './mask.ts';
import type { PlannedChange } from './plan-json.ts';

/** One place in the five trees of a change that lie over each other. */
type Place = {
  readonly path: readonly Step[];
  readonly before: unknown;
  readonly after: unknown;
  readonly unknown: unknown;
  readonly beforeSensitive: unknown;
  readonly afterSensitive: unknown;
};

/**
 * What differs, attribute by attribute; for a create or delete, everything that is set. Lists of plain values are
 * one attribute, maps and nested blocks are walked into. Sensitive values leave no text behind, and `mask` takes
 * out secrets that stand in a place that is not marked.
 */
export function attributeChanges(change: PlannedChange, mask: Mask): readonly AttributeChange[] {
  const replacePaths = change.replace_paths ?? [];
  return differing(rootPlace(change)).map((place) => ({
    path: pathText(place.path),
    ...valuesAt(place, mask),
    forcesReplacement: replacePaths.some((path) => isOnOnePath(path, place.path)),
  }));
}

/** Both sides as one value each; used where the whole is the attribute, as for outputs. */
export function wholeChange(
  change: PlannedChange,
  mask: Mask,
): { readonly before: Value; readonly after: Value } {
  return valuesAt(rootPlace(change), mask);
}

function rootPlace(change: PlannedChange): Place {
  return {
    path: [],
    before: change.before,
    after: change.after,
    unknown: change.after_unknown,
    beforeSensitive: change.before_sensitive,
    afterSensitive: change.after_sensitive,
  };
}

function differing(place: Place): readonly Place[] {
  if (isWhole(place)) return isChanged(place) ? [place] : [];
  return childSteps(place).flatMap((step) => differing(childPlace(place, step)));
}

/** Whether this place is one attribute, or holds several. */
function isWhole(place: Place): boolean {
  if (place.unknown === true || place.beforeSensitive === true || place.afterSensitive === true) return true;
  // The resource itself is never an attribute, not even when nothing of it is set.
  if (place.path.length === 0) return false;
  const sides = [place.before, place.after].filter((side) => !isUnset(side));
  if (!sides.every(isContainer)) return true;
  if (sides.some(Array.isArray) && sides.some(isRecord)) return true;
  return !isPartlyMarked(place) && !sides.some(hasParts);
}

const isUnset = (value: unknown): boolean => value === null || value === undefined;
const isContainer = (value: unknown): boolean => Array.isArray(value) || isRecord(value);

/** A list of plain values reads better in one piece. */
function hasParts(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isContainer) : isRecord(value) && Object.keys(value).length > 0;
}

function isPartlyMarked(place: Place): boolean {
  return [place.unknown, place.beforeSensitive, place.afterSensitive].some(hasMark);
}

function isChanged(place: Place): boolean {
  if (place.unknown === true) return true;
  if (isUnset(place.before) && isUnset(place.after)) return false;
  const marks = hasMark(place.beforeSensitive) !== hasMark(place.afterSensitive);
  // Where one side is missing there is nothing that a mark could have changed on it.
  const bothSet = !isUnset(place.before) && !isUnset(place.after);
  return !isSame(place.before ?? null, place.after ?? null) || (bothSet && marks);
}

function childSteps(place: Place): readonly Step[] {
  const sides = [place.before, place.after, place.unknown];
  if (sides.some(Array.isArray)) {
    const lengths = sides.map((side) => (Array.isArray(side) ? side.length : 0));
    return Array.from({ length: Math.max(...lengths) }, (_, index) => index);
  }
  return [...new Set(sides.filter(isRecord).flatMap((side) => Object.keys(side)))].sort();
}

function childPlace(place: Place, step: Step): Place {
  return {
    path: [...place.path, step],
    before: childOf(place.before, step),
    after: childOf(place.after, step),
    unknown: childOf(place.unknown, step),
    beforeSensitive: childOf(place.beforeSensitive, step),
    afterSensitive: childOf(place.afterSensitive, step),
  };
}

function childOf(value: unknown, step: Step): unknown {
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined;
  return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** A mark is `true` somewhere in the tree; the trees also hold `false` and empty shapes. */
function hasMark(tree: unknown): boolean {
  if (tree === true) return true;
  if (Array.isArray(tree)) return tree.some(hasMark);
  return isRecord(tree) && Object.values(tree).some(hasMark);
}

function valuesAt(place: Place, mask: Mask): { readonly before: Value; readonly after: Value } {
  return {
    before: shownValue(place.before, place.beforeSensitive, false, mask),
    after: shownValue(place.after, place.afterSensitive, place.unknown, mask),
  };
}

function shownValue(value: unknown, sensitive: unknown, unknown: unknown, mask: Mask): Value {
  if (hasMark(unknown)) return hasMark(sensitive) ? { kind: 'sensitive' } : { kind: 'unknown' };
  if (isUnset(value)) return { kind: 'absent' };
  if (hasMark(sensitive)) return { kind: 'sensitive' };
  return { kind: 'known', json: JSON.stringify(masked(value, mask)) };
}

function masked(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'number' || isExactNumber(value)) {
    const text = JSON.stringify(value);
    return mask(text) === text ? value : mask(text);
  }
  if (Array.isArray(value)) return value.map((item) => masked(item, mask));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), masked(item, mask)]));
}
