// Which policies and which configuration spoke, in one name?
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Rules } from '../workflows/model/configuration.ts';

/**
 * Over the policies, built in and the repository's own, and hatchet.yaml as it was read: when any of them changes,
 * verdicts have to be given anew.
 */
export function judgeDigest(policyDigest: string, rules: Rules): string {
  return createHash('sha256')
    .update(policyDigest)
    .update(canonicalize(rules) ?? '')
    .digest('hex');
}
