// Which policies and which configuration spoke, in one name?
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Rules } from '../workflows/model/configuration.ts';

/**
 * Over the policies, built in and the repository's own, and hatchet.yaml as it was read: when any of them changes,
 * verdicts have to be given anew. Two SHA-256 in lowercase hex, so that it can be told which of them did.
 */
export function judgeDigest(policyDigest: string, rules: Rules): string {
  return `${sha256(policyDigest)}.${sha256(canonicalize(rules) ?? '')}`;
}

/** Only hatchet.yaml differs. */
export function samePolicies(left: string, right: string | null): boolean {
  return left.split('.')[0] === right?.split('.')[0];
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
