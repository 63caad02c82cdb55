// Which parts of a text are secrets, whoever wrote it?

/** What stands where a secret stood. */
const blank = '[redacted]';

/** A shorter "secret" would blank ordinary words. */
const shortestSecret = 8;

/**
 * Shapes that are secrets wherever they stand. They stop at quotes and backslashes, so a JSON line stays JSON.
 * Installation tokens are now `ghs_<app id>_<JWT>`, about 520 characters, and end at no word boundary.
 */
const shapes = [
  'gh[a-z]_[A-Za-z0-9._-]{36,}',
  'github_pat_[A-Za-z0-9_]{22,}',
  'eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*',
  '(?<=\\b(?:bearer|basic)\\s+)[A-Za-z0-9._~+/-]{16,}=*',
  // The password of a URL: between `//user:` and `@`.
  '(?<=://[^\\s/:@"\\\\]{0,200}:)[^\\s/@"\\\\]+(?=@)',
  '-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?-----END [A-Z ]*PRIVATE KEY-----',
];

/**
 * Blanks tokens, keys, passwords in URLs and every given secret: as it is, as JSON, URL and base64 write it, and
 * line by line when it has several. Works on finished lines, so nothing can be nested too deep for it.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets.flatMap(spellings))].sort((left, right) => right.length - left.length);
  const pattern = new RegExp([...known.map((secret) => escapeForRegExp(secret)), ...shapes].join('|'), 'gi');
  return (text) => text.replace(pattern, blank);
}

function spellings(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const base64 = Buffer.from(secret).toString('base64');
  return [secret, ...lines, base64, base64.replace(/=+$/, ''), encodeURIComponent(secret)]
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
    .filter((text) => text.length >= shortestSecret && !text.startsWith('-----'));
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
