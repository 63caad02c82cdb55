// Which names may reach git as refs, and what are they called in the mirror?
import { createHash } from 'node:crypto';
import type { Sha } from '../../workflows/model/identifiers.ts';
import { operatorError } from '../faults.ts';

/** GitHub's own limit for a full ref name. */
const maxRefBytes = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what git forbids here
const forbidden = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$|(?:^|\/)\.|\.lock(?:\/|$)|^@$|^$/;

/**
 * The refspec that brings a branch. In the mirror it has a flat name: branches `a` (deleted since) and `a/b`
 * could not stand beside each other. OperatorError: no name that git allows (git-check-ref-format(1)).
 */
export function branchRefspec(branch: string): string {
  if (forbidden.test(branch) || !branch.isWellFormed() || Buffer.byteLength(branch) > maxRefBytes) {
    throw operatorError(`${JSON.stringify(branch.slice(0, maxRefBytes))} cannot be the name of a branch`);
  }
  return `+refs/heads/${branch}:refs/hatchet/branches/${createHash('sha256').update(branch).digest('hex')}`;
}

/** The refspec that brings the head of a pull request, also of a fork's. */
export function pullRequestRefspec(number: number): string {
  if (!Number.isSafeInteger(number) || number <= 0) throw operatorError(`${number} is no pull request`);
  return `+refs/pull/${number}/head:refs/pull/${number}/head`;
}

/** The refspec that brings one commit by its name; GitHub serves every commit that a ref of its own reaches. */
export function commitRefspec(commit: Sha): string {
  return `+${commit}:refs/hatchet/commits/${commit}`;
}
