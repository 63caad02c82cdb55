// What did nobody hear of, wherever the App is installed, and how is it set right?
import type { Logger } from 'pino';
import type { Message } from '../workflows/messages.ts';
import { subjectOf } from '../workflows/messages.ts';
import type { KnownPullRequest, Lost } from '../workflows/model/healing.ts';
import {
  closedUnheard,
  commandsSince,
  factsOf,
  lookSince,
  lostOf,
  mayBeOnItsWay,
  movedBases,
  reviewsSince,
  undelivered,
} from '../workflows/model/healing.ts';
import type { InstallationId, RepositoryId } from '../workflows/model/identifiers.ts';
import type { MergeGroup } from '../workflows/model/merge-group.ts';
import type { PullRequestRef, Repository } from '../workflows/model/repository.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { Difference, Look, Loss } from '../workflows/port/healing.ts';
import type { GitHub } from './github/client.ts';
import { closeOpenChecks } from './github/close-open-checks.ts';
import { listDeliveries, redeliver } from './github/deliveries.ts';
import { listInstalled } from './github/installed.ts';
import type { Place, SeenRepository } from './github/list-pull-requests.ts';
import { listPullRequests } from './github/list-pull-requests.ts';
import type { PullRequestDetails } from './github/read-details.ts';
import { readDetails } from './github/read-details.ts';
import type { UnansweredGroup } from './github/read-queue.ts';
import { readUnansweredGroups } from './github/read-queue.ts';
import type { InstalledRepository } from './store/healing.ts';
import type { Store } from './store/store.ts';

/** `stuck`: it runs, and Temporal cannot get it to go on. */
export type WorkflowLife = 'followed' | 'stuck' | 'gone';

/** How what was lost reaches workflows. */
export type HealMessenger = {
  /** To the pull request's workflow, which is started where it does not run. */
  readonly deliver: (message: Message) => Promise<void>;
  readonly tellRepository: ControlActivities['tellRepository'];
  readonly tellPullRequest: ControlActivities['tellPullRequest'];
  readonly lifeOf: (ref: PullRequestRef) => Promise<WorkflowLife>;
  /** As a merge queue would have asked; false: it was heard of before. */
  readonly requestGroup: (group: MergeGroup) => Promise<boolean>;
  /** Open pull requests of the repository are being planned again right now. */
  readonly isRefreshing: (repository: Repository) => Promise<boolean>;
};

export type HealDependencies = {
  readonly github: GitHub;
  readonly appId: number;
  readonly store: Store;
  readonly messenger: HealMessenger;
  readonly log: Pick<Logger, 'info' | 'warn'>;
};

type Healing = Pick<ControlActivities, 'redeliverFailed' | 'findLosses' | 'setRight' | 'noteLook'>;

/** The activities of the schedule that heals. */
export function createHealing(deps: HealDependencies): Healing {
  return {
    redeliverFailed: () => redeliverFailed(deps),
    findLosses: (request) => findLosses(deps, request),
    setRight: (loss) => setRight(deps, loss),
    async noteLook(look) {
      await deps.store.healing.saveLook(look);
    },
  };
}

/** An attempt is in GitHub's list when it is over, which takes it up to half a minute. */
const attemptOverlapMs = 60_000;

async function redeliverFailed({ github, store, log }: HealDependencies) {
  const until = await store.healing.deliveriesUntil();
  const since = until === null ? null : new Date(Date.parse(until) - attemptOverlapMs).toISOString();
  const { at, attempts } = await listDeliveries(github, since);
  let redelivered = 0;
  for (const { id, guid, event } of undelivered(attempts)) {
    if (!(await store.healing.claimRedelivery(guid))) continue;
    try {
      await redeliver(github, id);
      redelivered += 1;
      log.info({ delivery: guid, event }, 'a webhook that did not arrive is delivered again');
    } catch (error) {
      // What it was about is found by comparing.
      log.warn({ err: error, delivery: guid, event }, 'GitHub does not deliver a webhook again');
    }
  }
  await store.healing.saveDeliveriesUntil(at);
  return { at, redelivered };
}

/** Where the App is installed seldom changes, and GitHub tells: only a webhook of that which was lost waits so long. */
const listAgainMs = 60 * 60_000;
/** What does not help is said again, but not at every look. */
const tellAgainMs = 60 * 60_000;
/** What is found beyond that (the App is new to a large organization) is found again at the next look. */
const maxLossesPerLook = 100;

/** What is to be said, and because of which difference; null: whether it is one is looked at each time. */
type Found = { readonly difference: Omit<Difference, 'told'> | null; readonly loss: Loss };
type LookRequest = Parameters<ControlActivities['findLosses']>[0];

async function findLosses(deps: HealDependencies, request: LookRequest): Promise<Look> {
  const { store, log } = deps;
  const installations = Map.groupBy(
    await installedRepositories(deps, request.listAnew),
    ({ repository }) => repository.installationId,
  );
  const found: Found[] = [];
  const looked: RepositoryId[] = [];
  for (const [installationId, places] of installations) {
    try {
      const seen = await lookAt(deps, installationId, places, request);
      found.push(...seen.found);
      looked.push(...seen.looked);
    } catch (error) {
      // One that is suspended, or whose limit is used up, must not keep the others from being looked at.
      log.warn({ err: error, installation: installationId }, 'an installation could not be looked at');
    }
  }
  const differences = found.flatMap(({ difference }) => difference ?? []);
  const untold = new Set(await store.healing.untold(differences, tellAgainMs));
  const due = found.filter(({ difference }) => difference === null || untold.has(difference)).sort(inOrder);
  const told = due.slice(0, maxLossesPerLook);
  if (told.length < due.length)
    log.warn({ found: due.length, told: told.length }, 'the rest of what was lost is left to the next look');
  const now = new Set(told.map(({ difference }) => difference));
  return {
    at: request.at,
    losses: told.map(({ loss }) => loss),
    looked: told.length < due.length ? [] : looked,
    differences: differences.map((difference) => ({ ...difference, told: now.has(difference) })),
  };
}

/** What a pull request is comes before what people said on it, and that in their order. */
const inOrder = ({ loss: left }: Found, { loss: right }: Found): number =>
  rank(left) - rank(right) || saidAt(left) - saidAt(right);

const rank = (loss: Loss): number =>
  loss.kind === 'message' ? (loss.message.kind === 'pull-request' ? 0 : 1) : 2;

const saidAt = (loss: Loss): number =>
  loss.kind === 'message' && loss.message.kind === 'command' ? Date.parse(loss.message.createdAt) : 0;

async function installedRepositories(
  { github, store }: HealDependencies,
  listAnew: boolean,
): Promise<readonly InstalledRepository[]> {
  const known = listAnew ? null : await store.healing.installed(listAgainMs);
  if (known !== null) return known;
  await store.healing.saveInstalled(await listInstalled(github));
  return (await store.healing.installed(listAgainMs)) ?? [];
}

async function lookAt(
  deps: HealDependencies,
  installationId: InstallationId,
  installed: readonly InstalledRepository[],
  { lookId, at }: LookRequest,
): Promise<{ readonly found: readonly Found[]; readonly looked: readonly RepositoryId[] }> {
  const { github, store, messenger } = deps;
  const places: readonly Place[] = installed.map(({ repository, lookedAt }) => ({
    repository,
    since: lookSince(lookedAt, at),
  }));
  const seen = await listPullRequests(github, installationId, places);
  const known = await store.healing.known(
    seen.map(({ repository, recent }) => ({
      repositoryId: repository.id,
      numbers: recent.map(({ number }) => number),
    })),
  );
  const scenes = seen
    .filter(({ archived }) => !archived)
    .map((one) => ({
      ...one,
      known: known.get(one.repository.id) ?? [],
      since: places.find(({ repository }) => repository.id === one.repository.id)?.since ?? at,
      lookId,
    }));
  const left = new Set(await leftUnapplied(messenger, scenes));
  const worth = (scene: Scene): readonly string[] => [
    ...new Set([...worthReading(scene), ...leftIn(scene, left)]),
  ];
  const nodeIds = [...new Set(scenes.flatMap(worth))];
  const details = new Map(
    (await readDetails(github, installationId, nodeIds)).map((each) => [each.pullRequest.nodeId, each]),
  );
  const found: Found[] = [...(await groupsUnheard(deps, installationId, scenes, at))];
  for (const scene of scenes) {
    for (const nodeId of worth(scene)) {
      const detail = details.get(nodeId);
      if (detail !== undefined) found.push(...(await lostOn(store, scene, detail, left)));
    }
    found.push(...basesOf(scene));
  }
  return { found, looked: seen.map(({ repository }) => repository.id) };
}

/** A repository as it was seen, and what the record knows of it. */
type Scene = SeenRepository & {
  readonly known: readonly KnownPullRequest[];
  readonly since: string;
  readonly lookId: string;
};

/** Node ids of the pull requests that differ from the record, or on which something was said. */
function worthReading(scene: Scene): readonly string[] {
  const { open, recent, known, since } = scene;
  const different = open.filter((seen) => lostOf(seen, knownOf(scene, seen.number), since) !== null);
  const leftOpen = known.filter(isLeftOpen);
  const all = [...different, ...recent, ...closedUnheard(open, known), ...leftOpen];
  return [...new Set(all.map(({ nodeId }) => nodeId))];
}

/** Those whose workflow is gone: one that runs waits for people, for as long as they take. */
async function leftUnapplied(
  { lifeOf }: HealMessenger,
  scenes: readonly Scene[],
): Promise<readonly KnownPullRequest[]> {
  const left: KnownPullRequest[] = [];
  for (const { repository, known } of scenes)
    for (const each of known.filter(({ unapplied }) => unapplied))
      if ((await lifeOf({ repository, number: each.number })) === 'gone') left.push(each);
  return left;
}

const leftIn = ({ known }: Scene, left: ReadonlySet<KnownPullRequest>): readonly string[] =>
  known.filter((each) => left.has(each)).map(({ nodeId }) => nodeId);

const isLeftOpen = ({ openChecks, applying }: KnownPullRequest): boolean => openChecks && !applying;

const knownOf = ({ known }: Scene, number: number): KnownPullRequest | null =>
  known.find((each) => each.number === number) ?? null;

async function lostOn(
  store: Store,
  scene: Scene,
  detail: PullRequestDetails,
  left: ReadonlySet<KnownPullRequest>,
): Promise<readonly Found[]> {
  const { pullRequest, seen } = detail;
  const known = knownOf(scene, seen.number);
  const lost = lostOf(seen, known, scene.since) ?? (known !== null && left.has(known) ? 'apply' : null);
  const about = (name: string, because: Lost) => ({
    deliveryId: `heal/${scene.lookId}/${scene.repository.id}/${seen.number}/${name}`,
    ref: { repository: scene.repository, number: seen.number },
    lost: because,
  });
  const state = (because: Lost) =>
    ({ ...about('pull-request', because), kind: 'pull-request', pullRequest, pusher: null }) as const;
  const found: Found[] = [];
  if (lost !== null) {
    const facts = `${lost} ${factsOf(seen)}`;
    found.push(
      foundOn(scene, seen.number, 'pull-request', facts, {
        kind: 'message',
        message: state(lost),
        since: scene.since,
      }),
    );
  } else if (known !== null && isLeftOpen(known)) {
    found.push({ difference: null, loss: { kind: 'checks', message: state('checks') } });
  }
  const said = [
    ...commandsSince(detail.comments, scene.since).map(
      ({ id, nodeId, createdAt, actor, command }): Message => ({
        ...about(`comment/${id}`, 'comment'),
        ...{ kind: 'command', command, actor, commentNodeId: nodeId, commentId: id },
        createdAt: new Date(createdAt).toISOString(),
      }),
    ),
    ...reviewsSince(detail.reviews, scene.since).map(
      ({ id, state: word, login }): Message => ({
        ...about(`review/${id}/${word}`, 'review'),
        ...{ kind: 'review', actor: login, reviewId: id, state: word },
      }),
    ),
  ];
  const subjects = said.flatMap((message) => subjectOf(message) ?? []);
  const unheard = new Set(await store.deliveries.unheard(scene.repository.id, subjects));
  for (const message of said) {
    const subject = subjectOf(message);
    if (subject === null || !unheard.has(subject)) continue;
    found.push(
      foundOn(scene, seen.number, subject, '', {
        kind: 'message',
        message,
        since: scene.since,
      }),
    );
  }
  return found;
}

/** GitHub is asked only where something is in a queue. `at`: when it is looked (ISO 8601, GitHub's clock). */
async function groupsUnheard(
  deps: HealDependencies,
  installationId: InstallationId,
  scenes: readonly Scene[],
  at: string,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const scene of scenes) {
    for (const unanswered of await unansweredGroups(deps, installationId, scene)) {
      if (mayBeOnItsWay(unanswered.askedAt, at)) continue;
      const group = { ...unanswered, repository: scene.repository };
      found.push(foundOn(scene, group.number, `group/${group.headSha}`, '', { kind: 'group', group }));
    }
  }
  return found;
}

/** Where GitHub does not tell of a queue, everything else is looked for all the same. */
async function unansweredGroups(
  deps: HealDependencies,
  installationId: InstallationId,
  { repository, open }: Scene,
): Promise<readonly UnansweredGroup[]> {
  const queued = open.flatMap((each) => (each.queued ? [each.nodeId] : []));
  try {
    return await readUnansweredGroups(deps, installationId, queued);
  } catch (error) {
    const name = `${repository.owner}/${repository.name}`;
    deps.log.warn({ err: error, repository: name }, 'a merge queue could not be looked at');
    return [];
  }
}

function basesOf(scene: Scene): readonly Found[] {
  const { repository, open, known } = scene;
  return movedBases(open, known).map(({ branch, tip }) =>
    foundOn(scene, 0, `base/${branch}`, tip, { kind: 'pushed', repository, branch, tip }),
  );
}

function foundOn(scene: Scene, number: number, what: string, facts: string, loss: Loss): Found {
  return { difference: { repositoryId: scene.repository.id, number, what, facts }, loss };
}

async function setRight(deps: HealDependencies, loss: Loss): Promise<void> {
  switch (loss.kind) {
    case 'message':
      return sayAgain(deps, loss);
    case 'pushed':
      return passOnPush(deps, loss);
    case 'group':
      return passOnGroup(deps, loss.group);
    case 'checks':
      return finishChecks(deps, loss.message);
    default:
      return loss satisfies never;
  }
}

/**
 * What is said must be true now: what the look saw may be older than what GitHub has said itself meanwhile. Whether the
 * workflow is gone is asked before the record: one that ends in between has left its picture there.
 */
async function sayAgain(
  deps: HealDependencies,
  { message, since }: Extract<Loss, { kind: 'message' }>,
): Promise<void> {
  const { github, messenger } = deps;
  if (message.kind !== 'pull-request') return messenger.deliver(message);
  const { repository } = message.ref;
  const life = await messenger.lifeOf(message.ref);
  const nodeIds = [message.pullRequest.nodeId];
  const [detail] = await readDetails(github, repository.installationId, nodeIds);
  const known = await knownNow(deps, message.ref);
  const isLeft = life === 'gone' && known?.unapplied === true;
  const lost = detail === undefined ? null : (lostOf(detail.seen, known, since) ?? (isLeft ? 'apply' : null));
  if (detail === undefined || lost === null) return;
  const now = { ...message, lost, pullRequest: detail.pullRequest };
  if (life === 'gone') return messenger.deliver(now);
  const { heard } = await messenger.tellPullRequest(now);
  if (!heard) throw new Error('the workflow has just ended: the next look sees what it left');
}

async function knownNow(
  { store }: HealDependencies,
  { repository, number }: PullRequestRef,
): Promise<KnownPullRequest | null> {
  const known = await store.healing.known([{ repositoryId: repository.id, numbers: [number] }]);
  return known.get(repository.id)?.find((each) => each.number === number) ?? null;
}

/** While open pull requests are planned again, some are on the old base because their turn has not come. */
async function passOnPush(
  { messenger, store, log }: HealDependencies,
  { repository, branch, tip }: Extract<Loss, { kind: 'pushed' }>,
): Promise<void> {
  const expected = await messenger.isRefreshing(repository);
  await messenger.tellRepository({ kind: 'pushed', repository, branch, push: null });
  if (expected) return;
  log.info(
    { repository: `${repository.owner}/${repository.name}`, branch },
    'healed: a push to a base branch',
  );
  const event = { ...healed, repository, number: null, target: branch };
  await store.events.append(`heal:${repository.id}:${branch}:${tip}`, event);
}

async function passOnGroup({ messenger, store, log }: HealDependencies, group: MergeGroup): Promise<void> {
  // Its checks may be about to be written.
  if (!(await messenger.requestGroup(group))) return;
  const { repository, number, headSha } = group;
  log.info(
    { repository: `${repository.owner}/${repository.name}`, group: headSha },
    'healed: what a merge queue asked',
  );
  const event = { ...healed, repository, number, target: 'merge group' };
  await store.events.append(`heal:${repository.id}:${headSha}`, event);
}

const healed = {
  actor: 'hatchet',
  action: 'heal',
  digest: null,
  allowed: true,
  reason: 'GitHub did not get it across',
} as const;

/** One that is followed will be finished; a new workflow shows all anew; what cannot go on must not seem to. */
async function finishChecks(
  deps: HealDependencies,
  message: Extract<Loss, { kind: 'checks' }>['message'],
): Promise<void> {
  const { github, messenger, store, log } = deps;
  const { ref, deliveryId } = message;
  const life = await messenger.lifeOf(ref);
  if (life === 'followed') return;
  const known = await knownNow(deps, ref);
  if (known === null || !isLeftOpen(known)) return;
  if (life === 'gone') return messenger.deliver(message);
  const closed = await closeOpenChecks({ github, memory: store.shown }, ref);
  const { repository, number } = ref;
  log.warn(
    { repository: `${repository.owner}/${repository.name}`, pullRequest: number, closed },
    'the workflow of a pull request cannot go on: its checks are cancelled',
  );
  const reason = 'the workflow cannot go on';
  const event = { ...healed, repository, number, target: 'checks', reason };
  await store.events.append(`heal:${deliveryId}`, event);
}
