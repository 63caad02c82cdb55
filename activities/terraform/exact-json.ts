// How is JSON read and written so that no number loses a digit?

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Part of JavaScript since 2025 (tc39/proposal-json-parse-with-source), not yet in TypeScript's library. */
const exact = JSON as unknown as {
  readonly parse: (text: string, reviver: Reviver) => unknown;
  readonly rawJSON: (text: string) => object;
  readonly isRawJSON: (value: unknown) => boolean;
};

/** Looking at every value takes five times as long. Text in which only strings look like such a number is looked at, too. */
const inexactNumber = /[[,:]\s*(?:-?\d+[.eE]|-?\d{16}|-0)/;

/**
 * Parses JSON; a number that a double cannot write back digit for digit stays as its text, in an object that
 * `JSON.stringify` writes out unchanged and that no JSON text can imitate. SyntaxError when `text` is no JSON.
 */
export function parseExact(text: string): unknown {
  if (!inexactNumber.test(text)) return JSON.parse(text);
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exact.rawJSON(source)
      : value,
  );
}

export function isExactNumber(value: unknown): boolean {
  return exact.isRawJSON(value);
}

/** A JSON object, as opposed to null, an array or a number kept as text. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !exact.isRawJSON(value);
}

/** Both come from the same writer, which orders keys: equal text is equal value. */
export function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
