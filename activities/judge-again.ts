// What do the policies say right before an apply, where they may say something else than was shown?

import type { ApplyGrant } from '../workflows/model/apply.ts';
import type { Rules } from '../workflows/model/configuration.ts';
import type { Repository } from '../workflows/model/repository.ts';
import type { Verdict } from '../workflows/model/verdict.ts';
import type { Inspection } from '../workflows/port/inspection.ts';
import type { Judge } from './policy/judge.ts';
import type { Store } from './store/store.ts';
import type { Judgement } from './store/verdict.ts';

/**
 * Labels, the title and the time are part of what a repository's own policies see, and none of them makes a plan stale.
 * Those that Hatchet brings along see the plan and hatchet.yaml only: without others nothing is asked. What was said
 * last is kept. `judgement`: what was said before, by the same policies.
 */
export async function judgeAgain(
  { judge, store }: { readonly judge: Pick<Judge, 'judge'>; readonly store: Pick<Store, 'verdicts'> },
  apply: { readonly repository: Repository; readonly grant: ApplyGrant; readonly rules: Rules },
  { pullRequest, source }: Inspection,
  judgement: Judgement,
): Promise<readonly Verdict[]> {
  const { repository, grant, rules } = apply;
  if (rules.policies.length === 0 || source.kind !== 'merged') return judgement.verdicts;
  const { base, head } = source.source;
  const verdicts = await judge.judge({
    planId: grant.planId,
    rules,
    base,
    repository,
    pullRequest,
    changes: { from: source.forkedAt, to: head },
    trigger: 'apply',
  });
  if (JSON.stringify(verdicts) !== JSON.stringify(judgement.verdicts))
    await store.verdicts.save(grant.planId, { ...judgement, verdicts });
  return verdicts;
}
