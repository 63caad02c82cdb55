// What is this pull request, and what of it would be planned?

import { canWrite } from '../workflows/model/actor.ts';
import { isPerson } from '../workflows/model/authorize.ts';
import { rulesFor } from '../workflows/model/configuration.ts';
import type { EditedPolicies } from '../workflows/model/edited-policies.ts';
import { findEditedPolicies, maxEditedPolicies, nothingEdited } from '../workflows/model/edited-policies.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { Inspection } from '../workflows/port/inspection.ts';
import type { GitHub } from './github/client.ts';
import type { DefaultBranch } from './github/default-branch.ts';
import { readMergeability } from './github/read-mergeability.ts';
import { type PullRequestReading, readPullRequest } from './github/read-pull-request.ts';
import type { CheckEditedPolicies } from './policy/check-edited.ts';
import type { Origin } from './source/fetch-queue.ts';
import type { SourceInspection, SourceInspector } from './source/inspect.ts';
import type { Store } from './store/store.ts';

export type LookDependencies = {
  readonly github: GitHub;
  readonly source: SourceInspector;
  readonly store: Pick<Store, 'pullRequests' | 'leftBehinds' | 'unwrittenStates' | 'healing' | 'pushes'>;
  /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
  readonly poolWaitMs: number;
  readonly checkPolicies: CheckEditedPolicies;
  /** A person's rights, at most a moment old. */
  readonly readRights: ControlActivities['readActor'];
};

type Look = Parameters<ControlActivities['inspect']>[0] & { readonly fetches: 'early' | 'when-missing' };

/**
 * `early`: GitHub is asked and git fetches at the same time; the fetch is only waited for when it brought something
 * new. `when-missing`: what was planned is in the mirror, unless it is no longer what was planned.
 */
export async function inspectPullRequest(
  deps: LookDependencies,
  { ref, expected, fetches }: Look,
): Promise<Inspection> {
  const { source, poolWaitMs } = deps;
  const { repository } = ref;
  const readAt = new Date().toISOString();
  const reading = readWithPushers(deps, ref);
  // It is waited for below, unless git's token is refused before.
  reading.catch(() => undefined);
  const origin = await originOf(deps, ref);
  const begun = fetches === 'early' ? await beginFetch(deps, ref, { origin, expected }) : null;
  const fetching = begun?.fetching ?? null;
  const guess = expected === null ? null : beginLook(deps, { ref, origin, expected, fetching });
  const { pullRequest, standing, defaultBranch } = await reading;
  const asking = fetches === 'early' ? mayAuthorWrite(deps, ref, { pullRequest, standing }) : null;
  const saving = savePullRequest(deps, { repository, pullRequest, readAt }, standing, asking);
  if (pullRequest.state === 'closed') {
    await saving;
    return { pullRequest, standing, poolWaitMs, ...nothingRead };
  }
  const look = (): Promise<SourceInspection> => source.inspect({ origin, pullRequest, begun: fetching });
  // Where the guess was wrong, or failed because it was, the look is taken for what GitHub says.
  const inspecting =
    guess !== null && expected !== null && hasSameSource(expected, pullRequest) ? guess.catch(look) : look();
  const [{ changedFiles, configuration, edited, containsBase, source: found }, authorMayWrite] =
    await Promise.all([inspecting, asking, saving]);
  const projects = found.kind === 'merged' ? found.projects : [];
  const places = found.kind === 'merged' ? [...projects, ...found.deleted.projects] : [];
  const asked = pullRequest.state === 'open' && isMergeabilityAsked(configuration, found);
  const changes = { configuration, changedFiles, found };
  const [leftBehind, unwritten, barred, mergeability, editedPolicies, unapplied] = await Promise.all([
    deps.store.leftBehinds.find(repository.id, projects),
    deps.store.unwrittenStates.find(repository.id, places),
    findBar(deps, origin, pullRequest, { found, defaultBranch }),
    asked ? readMergeability(deps.github, repository, pullRequest) : null,
    fetches === 'early' ? findEdited(deps, ref, changes) : nothingEdited,
    isUnapplied(deps, ref, pullRequest),
  ]);
  return {
    pullRequest,
    standing: { ...standing, authorMayWrite, mergeability },
    poolWaitMs,
    leftBehind,
    unwritten,
    ...(unapplied ? { unapplied: true } : {}),
    editedPolicies,
    configuration,
    barred,
    edited,
    containsBase,
    source: found,
  };
}

/** As the check on its merge commit says, which its workflow wrote last. */
async function isUnapplied(
  { store }: LookDependencies,
  { repository, number }: PullRequestRef,
  { state }: PullRequest,
): Promise<boolean> {
  if (state !== 'merged') return false;
  const known = await store.healing.known([{ repositoryId: repository.id, numbers: [number] }]);
  return known.get(repository.id)?.some((each) => each.number === number && each.unapplied) === true;
}

/** They count when they are merged; whoever edits them is to know before whether they will. */
async function findEdited(
  { checkPolicies }: LookDependencies,
  { repository }: PullRequestRef,
  changes: Pick<SourceInspection, 'configuration' | 'changedFiles'> & {
    readonly found: SourceInspection['source'];
  },
): Promise<EditedPolicies> {
  const { configuration, changedFiles, found } = changes;
  if (configuration.kind === 'broken' || found.kind !== 'merged') return nothingEdited;
  const { files, paths } = findEditedPolicies(configuration.configuration, changedFiles);
  if (files.length === 0) return nothingEdited;
  const problems = await checkPolicies({ repositoryId: repository.id, tree: found.source.tree, paths });
  return { files: files.slice(0, maxEditedPolicies), problems };
}

/**
 * On the default branch the commit counts that the pull request is judged by: what it says itself holds for others
 * only. Where nothing is planned, nothing can be applied.
 */
export async function findBar(
  { source }: Pick<LookDependencies, 'source'>,
  origin: Origin,
  pullRequest: Pick<PullRequest, 'number' | 'base'>,
  read: { readonly found: SourceInspection['source']; readonly defaultBranch: DefaultBranch | null },
): Promise<Inspection['barred']> {
  const { found, defaultBranch } = read;
  if (found.kind !== 'merged') return null;
  const own = defaultBranch !== null && defaultBranch.name === pullRequest.base;
  const judging = own ? { ...defaultBranch, tip: found.source.base } : defaultBranch;
  return source.findBar({ origin, pullRequest, defaultBranch: judging });
}

/** The webhooks of its pushes are asked, too: whose name the newest commit carries is what its maker wrote there. */
export async function readWithPushers(
  { github, store }: { readonly github: GitHub; readonly store: Pick<Store, 'pushes'> },
  ref: PullRequestRef,
): Promise<PullRequestReading> {
  const { standing, ...read } = await readPullRequest(github, ref);
  const pushed = await store.pushes.by(ref.repository.id, standing.head);
  return { ...read, standing: { ...standing, pushers: [...new Set([...standing.pushers, ...pushed])] } };
}

/** In a record: only its start is to be waited for. */
async function beginFetch(
  { source, store }: LookDependencies,
  { repository, number }: PullRequestRef,
  { origin, expected }: { readonly origin: Origin; readonly expected: PullRequest | null },
) {
  if (expected !== null) return { fetching: source.begin(origin, { number, base: expected.base }) };
  const known = await store.pullRequests.find({ repositoryId: repository.id, number });
  return { fetching: source.begin(origin, { number, base: known?.pullRequest.base ?? null }) };
}

/** Looks at what the webhook told, while GitHub is still asked whether that is so; null where there is nothing to see. */
function beginLook(
  { source, readRights }: LookDependencies,
  now: {
    readonly ref: PullRequestRef;
    readonly origin: Origin;
    readonly expected: PullRequest;
    readonly fetching: Promise<unknown> | null;
  },
): Promise<SourceInspection> | null {
  const { ref, origin, expected, fetching } = now;
  if (expected.state !== 'open') return null;
  if (!expected.fork && isPerson(expected.author)) {
    // Asked again below, and answered from this.
    readRights({ repository: ref.repository, login: expected.author, teams: [] }).catch(() => undefined);
  }
  const guess = source.inspect({ origin, pullRequest: expected, begun: fetching });
  guess.catch(() => undefined);
  return guess;
}

function hasSameSource(one: PullRequest, other: PullRequest): boolean {
  const { state, head, base, baseSha, mergeCommit } = one;
  return (
    state === other.state &&
    head === other.head &&
    base === other.base &&
    baseSha === other.baseSha &&
    mergeCommit === other.mergeCommit
  );
}

/** Read live for each look at what may be planned: `author_association` is no permission. */
async function mayAuthorWrite(
  { readRights }: LookDependencies,
  { repository }: PullRequestRef,
  { pullRequest, standing }: Omit<PullRequestReading, 'defaultBranch'>,
): Promise<boolean | null> {
  const { state, fork, author: login } = pullRequest;
  if (standing.authorMayWrite !== null || fork || state !== 'open') return standing.authorMayWrite;
  return canWrite(await readRights({ repository, login, teams: [] }));
}

/** A look that does not ask for everything leaves what is known of how it stands. */
async function savePullRequest(
  { store }: LookDependencies,
  known: Omit<Parameters<Store['pullRequests']['save']>[0], 'standing'>,
  standing: Inspection['standing'],
  asking: Promise<boolean | null> | null,
): Promise<void> {
  const kept = asking === null ? null : { ...standing, authorMayWrite: await asking };
  await store.pullRequests.save({ ...known, standing: kept });
}

/** It takes requests of its own, so only those pay who want to know. */
function isMergeabilityAsked(
  configuration: Inspection['configuration'],
  source: Inspection['source'],
): boolean {
  if (configuration.kind !== 'valid' || source.kind !== 'merged') return false;
  const projects = [...source.projects, ...source.deleted.projects];
  return projects.some(({ name }) =>
    rulesFor(configuration.configuration, name).apply.require.includes('mergeable'),
  );
}

const nothingRead: Omit<Inspection, 'pullRequest' | 'standing' | 'poolWaitMs'> = {
  leftBehind: [],
  editedPolicies: nothingEdited,
  configuration: { kind: 'broken', problems: [] },
  barred: null,
  edited: null,
  containsBase: false,
  source: { kind: 'closed' },
};

export async function originOf({ github }: Pick<LookDependencies, 'github'>, { repository }: PullRequestRef) {
  return {
    repository: repository.id,
    url: github.gitUrl(repository),
    token: await github.gitToken(repository),
  };
}
