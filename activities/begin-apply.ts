// Does everything that was granted still hold, right before Terraform may start?

import type { Actor } from '../workflows/model/actor.ts';
import type { ApplyGrant, ApplyOutcome, Refusal, StaleReason } from '../workflows/model/apply.ts';
import { denialBy } from '../workflows/model/apply.ts';
import { isTeam } from '../workflows/model/approval.ts';
import { authorize, githubItself, isPerson } from '../workflows/model/authorize.ts';
import type { Rules } from '../workflows/model/configuration.ts';
import { defaultConfiguration, rulesFor } from '../workflows/model/configuration.ts';
import type { Override } from '../workflows/model/override.ts';
import { mayOverride, withOverrides } from '../workflows/model/override.ts';
import type { AffectedProject } from '../workflows/model/project.ts';
import type { PullRequestRef, Repository } from '../workflows/model/repository.ts';
import { unmetRequirements } from '../workflows/model/requirement.ts';
import { isOutside } from '../workflows/model/target.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { Inspection } from '../workflows/port/inspection.ts';
import type { OrderDependencies } from './apply-order.ts';
import { baseCommitOf, findNewer } from './apply-order.ts';
import { operatorError } from './faults.ts';
import { findMissing } from './find-missing.ts';
import { findStateManagers } from './find-state-managers.ts';
import type { GitHub } from './github/client.ts';
import { judgeAgain } from './judge-again.ts';
import { judgeDigest, samePolicies } from './judge-digest.ts';
import type { Judge } from './policy/judge.ts';
import type { StoredPlan } from './run-store.ts';
import type { SourceInspector } from './source/inspect.ts';
import type { BeginAnswer } from './store/apply.ts';
import type { Store } from './store/store.ts';

export type BeginDependencies = OrderDependencies & {
  readonly github: GitHub;
  readonly source: SourceInspector;
  readonly store: Store;
  readonly judge: Pick<Judge, 'policyDigest' | 'judge'>;
  readonly inspect: (asked: PullRequestRef & Pick<ApplyGrant, 'roundId'>) => Promise<Inspection>;
  readonly readActor: ControlActivities['readActor'];
};

type Request = Parameters<ControlActivities['beginApply']>[0];

/** Reads the world again, compares it with the grant, and writes the fence row as the last thing of all. */
export async function beginApply(
  deps: BeginDependencies,
  { repository, grant, runId, fence, asked }: Request,
): Promise<{ readonly kind: 'begun' } | Refusal> {
  const ref = { repository, number: grant.number };
  const { dir, workspace } = grant.project;
  const [inspection, asker, last] = await Promise.all([
    deps.inspect({ ...ref, roundId: grant.roundId }),
    readAsker(deps, repository, grant),
    deps.store.applies.lastChange({ repositoryId: repository.id, dir, workspace }),
  ]);
  const refusal =
    refuseAsker(grant, asker, inspection) ??
    unwrittenRefusal(grant, inspection) ??
    (await findNewer(deps, { ref, grant, inspection, last })) ??
    (await findRefusal(deps, { repository, grant }, inspection));
  const baseCommit = baseCommitOf(inspection);
  if (refusal === null && baseCommit !== null) {
    const answer = await deps.store.applies.begin({
      runId,
      repositoryId: repository.id,
      fence,
      baseCommit,
      grant,
      asked,
    });
    return answerOf(grant.project.name, answer);
  }
  const reason = refusal ?? stale(grant.project.name, 'base moved');
  // The fence of an earlier attempt, whose answer was lost or which no runner took: nothing was started behind it.
  const refused: ApplyOutcome = { kind: 'refused', refusal: reason };
  const recorded = await deps.store.applies.recordUnbegun(runId, asked.life, refused);
  if (recorded.kind !== 'refused') throw operatorError(`run ${runId} was begun before, or is over`);
  return reason;
}

/** The wish may have waited for hours: the rights are those of this moment. */
function readAsker(
  { readActor }: BeginDependencies,
  repository: Repository,
  { trigger: { kind, actor: login } }: ApplyGrant,
): Promise<Actor> {
  if (kind === 'merge' && !isPerson(login)) return Promise.resolve(githubItself);
  return readActor({ repository, login, teams: [] });
}

function refuseAsker(
  { project: { name: project } }: ApplyGrant,
  asker: Actor,
  { pullRequest, standing }: Inspection,
): Refusal | null {
  const { overrides } = defaultConfiguration;
  const target = {
    authors: [],
    outside: isOutside(pullRequest, standing),
    authorMayApprove: false,
    overrides,
  };
  const denial = authorize('apply', asker, target);
  if (denial === null) return null;
  const needs = denial.kind === 'not-allowed' ? denial.needs : 'write';
  return { kind: 'asker-denied', project, login: asker.login, needs };
}

/** Any plan is made from an older state, and does not know what is there. */
function unwrittenRefusal({ project }: ApplyGrant, { unwritten }: Inspection): Refusal | null {
  const found = unwritten?.find(
    ({ dir, workspace }) => dir === project.dir && workspace === project.workspace,
  );
  if (found === undefined) return null;
  const { runId, number, kept } = found;
  return { kind: 'state-unwritten', project: project.name, state: { runId, number, kept } };
}

/** Null when everything that was granted still holds. */
async function findRefusal(
  deps: BeginDependencies,
  { repository, grant }: Pick<Request, 'repository' | 'grant'>,
  inspection: Inspection,
): Promise<Refusal | null> {
  const { name } = grant.project;
  const place = { repositoryId: repository.id, number: grant.number };
  const [stored, judgement, said, overrides] = await Promise.all([
    deps.store.runs.readPlan(grant.planId),
    deps.store.verdicts.read(grant.planId),
    deps.store.approvals.read(place, name, grant.digest),
    deps.store.overrides.read(place, name, grant.digest),
  ]);
  const moved =
    comparePlanned(grant, stored, inspection) ?? (await refuseShared(deps, repository, stored, inspection));
  if (moved !== null) return moved;
  if (judgement === null) return { kind: 'not-judged', project: name };
  const { configuration, barred } = inspection;
  if (barred !== null) return { kind: 'branch-barred', bar: barred };
  if (configuration.kind === 'broken') return stale(name, 'configuration changed');
  const rules = rulesFor(configuration.configuration, name);
  const today = await digestOfToday(deps, repository, inspection.source, rules);
  if (judgement.bundleDigest !== today)
    return stale(
      name,
      samePolicies(judgement.bundleDigest, today) ? 'configuration changed' : 'policies changed',
    );
  const verdicts = await judgeAgain(deps, { repository, grant, rules }, inspection, judgement);
  const { pullRequest, standing, containsBase } = inspection;
  const authors = [pullRequest.author, ...standing.pushers, ...grant.authors];
  const about = { project: name, digest: grant.digest, bundle: today };
  const words = await stillMayOverride(deps, repository, rules.overrides, { overrides, authors });
  const denial = denialBy(name, withOverrides(verdicts, about, words), rules.overrides.by);
  if (denial !== null) return denial;
  const [no] = said.rejections;
  if (no !== undefined) return { kind: 'rejected', project: name, by: no.actor.login };
  const unmet = unmetRequirements({ rules, pullRequest, standing, containsBase, authors });
  if (unmet.length > 0) return { kind: 'requirements-unmet', project: name, unmet };
  return findMissing(deps, {
    repository,
    project: name,
    digest: grant.digest,
    rules: [...grant.rules, ...verdicts.flatMap(({ approvals }) => approvals)],
    approvals: said.approvals,
    authors,
    reviews: standing.reviews,
  });
}

/** Since its end was planned another project may have been planned with the same state. */
async function refuseShared(
  deps: BeginDependencies,
  repository: Repository,
  { plan, number }: StoredPlan,
  { pullRequest }: Inspection,
): Promise<Refusal | null> {
  if (!plan.destroy) return null;
  const { dir, workspace, name } = plan.project;
  const ref = { repository, number };
  const endings = [{ dir, workspace, planId: plan.id }];
  const [manager = null] = await findStateManagers(deps, { ref, pullRequest, endings });
  return manager === null ? null : { kind: 'managed-elsewhere', project: name, manager };
}

/** The words of those who may override at this moment; rights are read again. */
async function stillMayOverride(
  { readActor }: BeginDependencies,
  repository: Repository,
  rules: Rules['overrides'],
  said: { readonly overrides: readonly Override[]; readonly authors: readonly string[] },
): Promise<readonly Override[]> {
  const teams = rules.by.filter(isTeam);
  const checked = await Promise.all(
    said.overrides.map(async (word) => {
      const actor = await readActor({ repository, login: word.actor.login, teams });
      return mayOverride(rules, actor, said.authors) ? [word] : [];
    }),
  );
  return checked.flat();
}

/** The policies as they are on the base branch at this moment, the repository's own among them. */
async function digestOfToday(
  { judge }: BeginDependencies,
  repository: Repository,
  source: Inspection['source'],
  rules: Rules,
): Promise<string | null> {
  if (source.kind !== 'merged') return null;
  return judgeDigest(await judge.policyDigest({ repository, base: source.source.base, rules }), rules);
}

/** Null when the pull request and the project's files are what was planned. */
function comparePlanned(
  grant: ApplyGrant,
  stored: StoredPlan,
  { pullRequest, source }: Inspection,
): Refusal | null {
  const { name } = grant.project;
  if (stored.plan.digest !== grant.digest) return stale(name, 'digest changed');
  if (pullRequest.state === 'closed') return { kind: 'closed' };
  if (pullRequest.state === 'open' && pullRequest.draft) return { kind: 'draft' };
  if (pullRequest.state === 'open' && pullRequest.head !== grant.head) return stale(name, 'head moved');
  const now = projectNow(stored, source)?.sourceDigest;
  return now === stored.plan.sourceDigest ? null : stale(name, 'base moved');
}

/** The end of a project that the pull request deletes was planned from what it is on the base. */
function projectNow({ plan }: StoredPlan, source: Inspection['source']): AffectedProject | undefined {
  if (source.kind !== 'merged') return undefined;
  const named = ({ name }: AffectedProject): boolean => name === plan.project.name;
  return source.projects.find(named) ?? (plan.destroy ? source.deleted.projects.find(named) : undefined);
}

function answerOf(project: string, answer: BeginAnswer): { readonly kind: 'begun' } | Refusal {
  switch (answer) {
    case 'begun':
    case 'begun-before':
      return { kind: 'begun' };
    case 'already-applied':
      return { kind: 'already-applied', project };
    case 'plan-used':
      return stale(project, 'plan used');
    case 'newer-fence':
    case 'changed-since':
      return stale(project, 'state changed');
    case 'applied-elsewhere':
      return stale(project, 'applied elsewhere');
    case 'too-old':
      return stale(project, 'too old');
    case 'unfinished':
      return { kind: 'frozen', project, reason: 'an earlier apply never said how it ended' };
    default:
      return answer satisfies never;
  }
}

const stale = (project: string, reason: StaleReason): Refusal => ({ kind: 'stale', project, reason });
