// Where in a YAML file does a value stand?
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';

export type Key = string | number;
/** Offsets of the first character and of the one after the last. */
export type Range = readonly [start: number, end: number];

/** The value at a path; its key where there is no such value. */
export function valueRange(document: Document, path: readonly Key[]): Range {
  return rangeOf(nodeAt(document, path)) ?? keyRange(document, path);
}

/** The last key of a path; the beginning of the file where there is none. */
export function keyRange(document: Document, path: readonly Key[]): Range {
  const parent = nodeAt(document, path.slice(0, -1));
  const pair = isMap(parent) ? parent.items.find((item) => keyText(item.key) === path.at(-1)) : undefined;
  return rangeOf(pair?.key) ?? [0, 0];
}

/** Undefined where the file has nothing; aliases are followed. */
export function nodeAt(document: Document, path: readonly Key[]): Node | undefined {
  let node: unknown = document.contents;
  for (const key of path) {
    const parent = followed(document, node);
    if (isMap(parent)) node = parent.items.find((item) => keyText(item.key) === key)?.value;
    else node = isSeq(parent) ? parent.items[Number(key)] : undefined;
  }
  const found = followed(document, node);
  return isNode(found) ? found : undefined;
}

export function rangeOf(node: unknown): Range | null {
  const range = isNode(node) ? node.range : null;
  return range === null || range === undefined ? null : [range[0], range[1]];
}

function followed(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function keyText(key: unknown): unknown {
  return isScalar(key) ? String(key.value) : key;
}
