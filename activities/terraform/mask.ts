// How is a secret taken out of a text, whichever way it is written there?
import { Buffer } from 'node:buffer';

/** Replaces every known secret in a text. */
export type Mask = (text: string) => string;

/** Below this a "secret" is a word that stands everywhere, and masking it would only destroy the text. */
const minSecretLength = 6;
const replacement = '***';

/**
 * Knows each value as it is, line by line, JSON-escaped, URL-encoded, and in base64 at any offset. It catches
 * accidents; whoever wants to smuggle a value out can still write it another way.
 */
export function createMask(values: Iterable<string>): Mask {
  const needles = [...new Set([...values].flatMap(spellings))].filter(
    (text) => text.length >= minSecretLength,
  );
  // Longest first: a value that holds another one must not be broken up by it.
  needles.sort((left, right) => right.length - left.length);
  return (text) => needles.reduce((masked, needle) => masked.replaceAll(needle, replacement), text);
}

/** Those of the values that stand in a text, in one of the ways that a mask knows. */
export function valuesIn(values: Iterable<string>, text: string): readonly string[] {
  return [...new Set(values)].filter((value) =>
    spellings(value).some((needle) => needle.length >= minSecretLength && text.includes(needle)),
  );
}

function spellings(value: string): readonly string[] {
  if (value.length < minSecretLength) return [];
  const lines = value.includes('\n') ? value.split(/\r?\n/).map((line) => line.trim()) : [];
  return [value, value.trim(), ...lines].filter((part) => part.length >= minSecretLength).flatMap(encodings);
}

function encodings(part: string): readonly string[] {
  const json = JSON.stringify(part).slice(1, -1);
  // Go's encoder, which writes Terraform's log, escapes these three as well.
  const goJson = json.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  return [part, json, goJson, ...urlTexts(part), ...base64Texts(part)];
}

/** JavaScript's, and those of Go, which Terraform's `urlencode` and its providers write: more is escaped, or a blank is a plus. */
function urlTexts(part: string): readonly string[] {
  const text = encodeURIComponent(part.toWellFormed());
  const inPath = text.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return [text, inPath, inPath.replaceAll('%20', '+')];
}

/** The encoding depends on what stands before: three alignments, each without the digits that neighbours share. */
function base64Texts(part: string): readonly string[] {
  const bytes = Buffer.from(part);
  const inner = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const shared = (offset + bytes.length) % 3 === 0 ? 0 : 1;
    return encoded.slice(offset === 0 ? 0 : offset + 1, encoded.length - shared);
  });
  return [
    ...inner,
    ...inner.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('base64'),
  ];
}
