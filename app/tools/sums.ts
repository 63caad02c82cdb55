// Which SHA-256 does the maker's own file of sums give for a download?
import { basename } from 'node:path/posix';

const sumPattern = /^([0-9a-f]{64})(?:\s+\*?(\S+))?$/i;

/**
 * The sum of `file`, lowercase hex; null when no line names it. A file that holds one bare sum is about its
 * neighbour. Format: that of sha256sum, `<sum>  <name>` with an optional `*`.
 */
export function publishedSum(sums: string, file: string): string | null {
  const lines = sums.split('\n').flatMap((line) => {
    const match = sumPattern.exec(line.trim());
    return match?.[1] === undefined ? [] : [{ sum: match[1].toLowerCase(), name: match[2] }];
  });
  const named = lines.find(({ name }) => name !== undefined && basename(name) === basename(file));
  if (named !== undefined) return named.sum;
  const only = lines.length === 1 ? lines[0] : undefined;
  return only?.name === undefined ? (only?.sum ?? null) : null;
}
