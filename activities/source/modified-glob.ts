// Which files does a glob of hatchet.yaml mean?
import picomatch from 'picomatch';
import { join } from './listing.ts';

/** A glob of `when_modified`, seen from the repository's root. */
export type ModifiedGlob = {
  /** Everything that it can match lies below this directory. */
  readonly below: string;
  /** Equal for globs that match the same files. */
  readonly id: string;
  readonly matches: (path: string) => boolean;
};

/** More than anybody can read. */
const maxWildcards = 10;
/**
 * A second star within a name, and each `**`, may end anywhere: every one of them makes matching slower by a factor of
 * the path's length, and both glob and path may be a stranger's. With two, the worst path takes half a second.
 */
const maxLooseWildcards = 2;
const special = /[*?[\]{}()!+@\\]/;
/** `+(a|b)` and its like would allow globs that take for ever. */
const options = { dot: true, noextglob: true, strictBrackets: true } as const;

/** What is wrong with a glob, or null. */
export function globProblem(glob: string): string | null {
  const wildcards = glob.match(/[*?]+/g)?.length ?? 0;
  if (wildcards > maxWildcards) return `more than ${maxWildcards} wildcards`;
  const { rest } = climb(glob);
  if (looseWildcards(rest) > maxLooseWildcards)
    return `more than ${maxLooseWildcards} of \`**\` and of further stars in one name`;
  if (rest.split('/').includes('..')) return '`..` only at the beginning';
  if (rest === '' || rest === '.') return 'files, not only a directory above';
  try {
    picomatch.makeRe(rest, options);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Alternatives in braces are not tried one after the other for the same part: the worst of them counts. */
function looseWildcards(glob: string): number {
  const counts = glob.split('/').map((segment) => {
    if (segment === '**') return 1;
    return Math.max(...segment.split(',').map((part) => (part.match(/\*+/g)?.length ?? 0) - 1), 0);
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The same for a glob of directories. */
export function directoryGlobProblem(glob: string): string | null {
  if (glob === '.') return null;
  return climb(glob).levels > 0 ? 'directories of this repository' : globProblem(glob);
}

/** Null when the glob, seen from `dir`, leaves the repository. */
export function parseModifiedGlob(dir: string, glob: string): ModifiedGlob | null {
  const { levels, rest } = climb(glob);
  const from = dir === '.' ? [] : dir.split('/');
  if (levels > from.length) return null;
  const anchor = from.slice(0, from.length - levels).join('/') || '.';
  const isMatch = picomatch(rest, options);
  const start = anchor === '.' ? 0 : anchor.length + 1;
  const segments = rest.split('/');
  const plain = segments.findIndex((segment) => special.test(segment));
  const fixed = segments.slice(0, plain < 0 ? segments.length : plain);
  return {
    below: fixed.reduce(join, anchor),
    id: JSON.stringify([anchor, rest]),
    matches: (path) => (anchor === '.' || path.startsWith(`${anchor}/`)) && isMatch(path.slice(start)),
  };
}

/** Matches directories, `.` for the root. */
export function directoryMatcher(globs: readonly string[]): (dir: string) => boolean {
  const matchers = globs.map((glob) =>
    picomatch(glob.replace(/^\.\/(?=.)/, '').replace(/(.)\/$/, '$1'), options),
  );
  const all = globs.includes('**');
  return (dir) => all || matchers.some((isMatch) => isMatch(dir)) || (dir === '.' && globs.includes('.'));
}

function climb(glob: string): { readonly levels: number; readonly rest: string } {
  const [climbed = ''] = /^(?:\.{1,2}\/+)*/.exec(glob) ?? [];
  return { levels: climbed.match(/\.\.\//g)?.length ?? 0, rest: glob.slice(climbed.length) };
}
