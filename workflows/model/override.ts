// Which denials of policies has somebody overridden, and may they?
import type { Actor } from './actor.ts';
import { canWrite } from './actor.ts';
import { isNamedIn, isOneOf } from './approval.ts';
import type { Rules } from './configuration.ts';
import type { PlanDigest } from './identifiers.ts';
import type { Verdict } from './verdict.ts';

/** A person's word that one plan may be applied although these policies deny it. */
export type Override = {
  readonly actor: Actor;
  readonly project: string;
  readonly digest: PlanDigest;
  /** The policies and the hatchet.yaml that denied it (lowercase hex SHA-256): with others, it counts for nothing. */
  readonly bundle: string;
  readonly policies: readonly string[];
  /** As it was typed; escaped where it is shown. */
  readonly reason: string;
  /** ISO 8601, GitHub's clock. */
  readonly at: string;
};

/** The policies that can be overridden: they denied. One that could not be evaluated has said nothing to override. */
export const overridable = (verdicts: readonly Verdict[]): readonly string[] =>
  verdicts.filter(isDenial).map(({ policy }) => policy);

const isDenial = ({ level, error, denials, overridden }: Verdict): boolean =>
  level === 'mandatory' && error === null && denials.length > 0 && overridden === undefined;

/** Only those whom hatchet.yaml names, with write; authors only where it says so. */
export function mayOverride(rules: Rules['overrides'], actor: Actor, authors: readonly string[]): boolean {
  if (!canWrite(actor) || !isNamedIn(rules.by, actor)) return false;
  return rules.author || !isOneOf(authors, actor.login);
}

/** The verdicts on one plan with what people overrode of them. */
export function withOverrides(
  verdicts: readonly Verdict[],
  plan: Pick<Override, 'project' | 'digest'> & { readonly bundle: string | null },
  overrides: readonly Override[],
): readonly Verdict[] {
  const about = overrides.filter(
    ({ project, digest, bundle }) =>
      project === plan.project && digest === plan.digest && bundle === plan.bundle,
  );
  if (about.length === 0) return verdicts;
  return verdicts.map((verdict) => {
    const word = about.findLast(({ policies }) => policies.includes(verdict.policy));
    if (word === undefined || !isDenial(verdict)) return verdict;
    return { ...verdict, overridden: { by: word.actor.login, reason: word.reason } };
  });
}
