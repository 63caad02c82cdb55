// Which files does an expression read by name?
import { posix } from 'node:path';

/** A file, or a directory with what is in it, by a path relative to the module or to the project's directory. */
export type FileRead = { readonly from: 'module' | 'root'; readonly path: string };

/** Source: developer.hashicorp.com/terraform/language/functions, "Filesystem Functions" and "Hash and Crypto". */
const call =
  /\b(fileset|file(?:exists|md5|sha1|sha256|sha512|base64|base64sha256|base64sha512)?|templatefile)[ \t\r\n]*\([ \t\r\n]*/g;
const bare = /^path\.(module|root|cwd)\b/;
/** A quoted text, perhaps after one of the directories that every module knows, up to its end or its first expression. */
const quoted = /^"(?:\$\{[ \t]*path\.(module|root|cwd)[ \t]*\})?((?:[^"\\$%\n]|[$%](?!\{)|\\.)*)("?)/;
const globStart = /[*?[{]/;

type Argument = { readonly from: FileRead['from']; readonly path: string; readonly rest: string };

/**
 * What `file()` and its like read where the name is a literal, or begins with one: then its directory. What is
 * computed from the start, and paths that begin elsewhere (`/`, `~`), are not ours to follow.
 */
export function findReads(text: string): FileRead[] {
  const reads: FileRead[] = [];
  for (const match of text.matchAll(call)) {
    const argument = readArgument(text.slice(match.index + match[0].length, match.index + maxCallLength));
    if (argument === null) continue;
    const { from, rest } = argument;
    const path = match[1] === 'fileset' ? posix.join(argument.path, patternDirectory(rest)) : argument.path;
    if (path !== '') reads.push({ from, path });
  }
  return reads;
}

/** PATH_MAX and a bit: nothing longer names a file. */
const maxCallLength = 8 * 1024;

function readArgument(text: string): Argument | null {
  const name = bare.exec(text);
  if (name !== null) return { from: directory(name[1]), path: '.', rest: text.slice(name[0].length) };
  const match = quoted.exec(text);
  if (match === null) return null;
  const literal = (match[2] ?? '').replace(/\\(.)/g, '$1');
  if (match[1] === undefined && /^[/~]/.test(literal)) return null;
  const path = match[3] === '"' ? `./${literal}` : beginning(`./${literal}`);
  return path === null
    ? null
    : { from: directory(match[1]), path: posix.normalize(path), rest: text.slice(match[0].length) };
}

/** Every relative path is one from where Terraform runs. */
const directory = (name: string | undefined): FileRead['from'] => (name === 'module' ? 'module' : 'root');

/** The directory that a computed name lies in; null when it names none: every place would be possible. */
function beginning(literal: string): string | null {
  const path = posix.normalize(literal.slice(0, literal.lastIndexOf('/') + 1));
  return /^(?:\.\.?\/)*$/.test(path) ? null : path;
}

function patternDirectory(rest: string): string {
  const pattern = readArgument(/^[ \t\r\n]*,[ \t\r\n]*(.*)$/s.exec(rest)?.[1] ?? '')?.path ?? '.';
  const glob = pattern.search(globStart);
  return glob < 0 ? pattern : posix.dirname(`${pattern.slice(0, glob)}x`);
}
