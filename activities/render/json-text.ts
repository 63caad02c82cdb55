// How is a JSON value laid out for people, without ever passing its numbers through a float?

type Node =
  | { readonly kind: 'scalar'; readonly text: string }
  | {
      readonly kind: 'composite';
      readonly open: string;
      readonly close: string;
      readonly items: readonly { readonly key: string; readonly node: Node }[];
    };

/** Deeper documents are shown as the strings they are: nobody reads them, and the stack is finite. */
const maxDepth = 40;
/** A list or object without others in it stays on one line up to this width. */
const inlineWidth = 60;

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** The value on one line: `["a", "b"]`, `{ "a": 1 }`. `json` must be valid. */
export function inlineJson(json: string): string {
  const node = parse(json);
  return node === null ? json : inline(node);
}

/**
 * The value over as many lines as it takes, indented by two, without commas at the ends: then a line that is added
 * changes no other. `expand`: every item on a line of its own, so that two values can be compared.
 * Null when it is not a list or an object.
 */
export function jsonLines(json: string, layout: { readonly expand: boolean }): readonly string[] | null {
  const node = parse(json);
  return node === null || node.kind === 'scalar' ? null : lines(node, { indent: '', key: '', ...layout });
}

/** The list or object that a string holds as JSON text, if it does. */
export function embeddedJson(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}

function parse(json: string): Node | null {
  const tokens = json.match(token) ?? [];
  let depth = 0;
  for (const text of tokens) {
    if (text === '{' || text === '[') depth++;
    if (text === '}' || text === ']') depth--;
    if (depth > maxDepth) return null;
  }
  return node(tokens, { at: 0 });
}

function node(tokens: readonly string[], cursor: { at: number }): Node {
  const open = tokens[cursor.at++] ?? '';
  if (open !== '{' && open !== '[') return { kind: 'scalar', text: open };
  const close = open === '{' ? '}' : ']';
  const items: { key: string; node: Node }[] = [];
  while (cursor.at < tokens.length && tokens[cursor.at] !== close) {
    const key = tokens[cursor.at + 1] === ':' ? `${tokens[cursor.at]}: ` : '';
    if (key !== '') cursor.at += 2;
    items.push({ key, node: node(tokens, cursor) });
    if (tokens[cursor.at] === ',') cursor.at++;
  }
  cursor.at++;
  return { kind: 'composite', open, close, items };
}

function inline(node: Node): string {
  if (node.kind === 'scalar') return node.text;
  const items = node.items.map((item) => item.key + inline(item.node)).join(', ');
  const pad = node.open === '{' && items !== '' ? ' ' : '';
  return `${node.open}${pad}${items}${pad}${node.close}`;
}

type Place = { readonly indent: string; readonly key: string; readonly expand: boolean };

function lines(node: Node, place: Place): readonly string[] {
  const { indent, key, expand } = place;
  if (node.kind === 'scalar' || node.items.length === 0) return [`${indent}${key}${inline(node)}`];
  if (!expand && indent !== '' && node.items.every((item) => item.node.kind === 'scalar')) {
    const text = `${indent}${key}${inline(node)}`;
    if (text.length <= inlineWidth) return [text];
  }
  const inner = node.items.flatMap((item) =>
    lines(item.node, { indent: `${indent}  `, key: item.key, expand }),
  );
  return [`${indent}${key}${node.open}`, ...inner, `${indent}${node.close}`];
}
