// Which policies and which configuration spoke, in one name?
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Rules } from '../workflows/model/configuration.ts';

/** Over the compiled policies and hatchet.yaml as it was read: when either changes, verdicts have to be given anew. */
export function judgeDigest(bundleDigest: string, rules: Rules): string {
  return createHash('sha256')
    .update(bundleDigest)
    .update(canonicalize(rules) ?? '')
    .digest('hex');
}
