// What happens to one pull request, from its first event until everything it asked for is settled?
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ApplyNews } from './applying.ts';
import { isQuiet, noteNews } from './applying.ts';
import { mergeWhenApplied } from './auto-merging.ts';
import { admitTrouble, decide, misunderstood } from './deciding.ts';
import type { Desk, RefreshMessage } from './desk.ts';
import {
  createDesk,
  isBusy,
  isCalm,
  noteDelivery,
  noteEvent,
  noteHealed,
  noteMerge,
  receive,
} from './desk.ts';
import { dependentsToPlan, playRound, stopDependents } from './going-on.ts';
import type { Message, ProjectNews } from './messages.ts';
import { messageSignal, projectNewsSignal, refreshedSignal, subjectOf } from './messages.ts';
import { addAgain, againFor } from './model/again.ts';
import { areWordsOld } from './model/keep-plan.ts';
import type { PullRequest } from './model/pull-request.ts';
import type { PullRequestState } from './model/pull-request-state.ts';
import { findProject, knownProjects, projectsFound, withPullRequest } from './model/pull-request-state.ts';
import { isSettled, isUnknown } from './model/round.ts';
import { inspect, wasDelivered } from './proxies.ts';
import { keepRecording } from './recording.ts';
import { renewQueued } from './renewing.ts';
import { heedReviews, keepLooking } from './reviewing.ts';
import { keepShowing } from './showing.ts';
import type { TurnNews } from './taking-turns.ts';
import { goOnOrTell, noteTurn, releaseDone } from './taking-turns.ts';
import { tellProjects } from './telling-projects.ts';
import type { Wish } from './wishes.ts';
import { wishOf } from './wishes.ts';

/** Started by the first message of a pull request (signalWithStart); lives until it is closed and settled. */
export async function pullRequestWorkflow(state: PullRequestState): Promise<void> {
  const desk = createDesk(state);
  setHandler(messageSignal, (message) => receive(desk, message));
  setHandler(projectNewsSignal, (news) => {
    desk.news.push(news);
  });
  void keepShowing(desk);
  void keepLooking(desk);
  void keepRecording(desk, () => isBusy(desk));
  for (;;) {
    await condition(() => desk.news.length > 0 || desk.inbox.length > 0 || mayRefresh(desk) || mayRest(desk));
    const news = desk.news.shift();
    const message = news === undefined ? desk.inbox.shift() : undefined;
    if (news !== undefined) heed(desk, news);
    else if (message !== undefined) await handle(desk, message);
    else if (mayRefresh(desk)) void refresh(desk, desk.refreshes.splice(0));
    else if (await rest(desk)) return;
  }
}

/** Nothing lies on the desk: it may end, or begin anew with a short history. */
function mayRest(desk: Desk): boolean {
  return isCalm(desk) && (workflowInfo().continueAsNewSuggested || (isOver(desk) && isQuiet(desk)));
}

/** True when the workflow is over. */
async function rest(desk: Desk): Promise<boolean> {
  await condition(allHandlersFinished);
  if (desk.inbox.length > 0 || desk.news.length > 0) return false;
  if (isOver(desk) && isQuiet(desk)) {
    await giveUpLocks(desk);
    return desk.inbox.length === 0 && desk.news.length === 0;
  }
  return continueAsNew<typeof pullRequestWorkflow>(desk.state);
}

/**
 * Closed without a merge, or merged with nothing left to apply, or not followed any more. A merged one whose apply is
 * missing goes on, and so does any whose outcome nobody knows: somebody has to say `unlock`.
 */
function isOver(desk: Desk): boolean {
  const { pullRequest, round } = desk.state;
  // Begun by a delivery that an earlier workflow had already, or by one that led nowhere.
  if (pullRequest === null) return true;
  if (pullRequest.state === 'open') return false;
  if (round === null) return true;
  const found = projectsFound(desk.state);
  const projects = knownProjects(desk.state);
  if (projects.some(isUnknown)) return false;
  if (pullRequest.state === 'closed') return true;
  const nothingLeft = found?.barred !== undefined || projects.every(isSettled);
  return found !== null && round.plannedAt !== null && nothingLeft;
}

async function giveUpLocks(desk: Desk): Promise<void> {
  const { ref, touched } = desk.state;
  await tellProjects(desk, touched, { kind: 'release', ref, why: 'closed' });
  desk.state = { ...desk.state, touched: [] };
}

/** A plan that is stale again as soon as it is made is nothing to apply by itself: somebody has to look. */
const maxStaleInARow = 3;

function heed(desk: Desk, news: ProjectNews): void {
  if (news.kind === 'yours' || news.kind === 'behind' || news.kind === 'taken') heedTurn(desk, news);
  else heedApply(desk, news);
}

/** A stale plan of a merged pull request is made again and, when it is the same, applied without asking anew. */
function heedApply(desk: Desk, news: ApplyNews): void {
  const stale = noteNews(desk, news);
  stopDependents(desk, news);
  releaseDone(desk);
  void mergeOrTell(desk);
  const dependents = dependentsToPlan(desk, news);
  if (!stale) {
    // What a merge wanted applied goes on where it was stopped.
    if (dependents.length > 0 && desk.state.pullRequest?.state === 'merged')
      desk.state = { ...desk.state, appliesNext: true };
    if (dependents.length > 0) void playRound(desk, { kind: 'dependency', only: dependents });
    // What is required was looked at afresh there, and people are to see what is missing.
    else if (isForPeople(news)) void playRound(desk, { kind: 'refresh', applied: [] });
    // A push may have come between its grant and the place in line.
    if (news.kind === 'queued') void renewQueued(desk);
    return void goOnOrTell(desk);
  }
  const { pullRequest, staleInARow } = desk.state;
  const again = pullRequest?.state === 'merged' && staleInARow < maxStaleInARow;
  desk.state = { ...desk.state, appliesNext: again, staleInARow: staleInARow + 1 };
  void playRound(desk, { kind: 'refresh', applied: [news.project, ...dependents] });
  void goOnOrTell(desk);
}

const isForPeople = (news: ProjectNews): boolean =>
  news.kind === 'finished' &&
  news.outcome.kind === 'refused' &&
  ['requirements-unmet', 'branch-barred', 'denied', 'approvals-missing'].includes(news.outcome.refusal.kind);

async function mergeOrTell(desk: Desk): Promise<void> {
  try {
    await mergeWhenApplied(desk);
  } catch (error) {
    log.error('an applied pull request could not be merged', { error });
  }
}

/** What waited for its turn is planned now; what is wanted next is asked for. */
function heedTurn(desk: Desk, news: TurnNews): void {
  if (noteTurn(desk, news)) void playRound(desk, { kind: 'refresh', applied: [] });
  else if (news.kind !== 'behind') void goOnOrTell(desk);
}

async function handle(desk: Desk, message: Message): Promise<void> {
  desk.handling = true;
  try {
    if (message.kind === 'refresh') return void desk.refreshes.push(message);
    if (message.kind === 'redraw') {
      desk.stale = true;
      return;
    }
    if (desk.state.pullRequest === null && (await wasHandled(message))) return;
    noteDelivery(desk, message);
    desk.state = { ...desk.state, staleInARow: 0 };
    if (message.kind === 'pull-request') {
      notePusher(desk, message);
      return hear(desk, message);
    }
    noteHealed(desk, message);
    if (desk.state.pullRequest === null) await meet(desk);
    if (message.kind === 'review') {
      noteDismissal(desk, message);
      return await heedReviews(desk);
    }
    const wish = wishOf(message);
    if (wish === null) return;
    if ('verb' in wish) return await decideOrTell(desk, wish);
    if (message.kind === 'command') misunderstood(desk, message, wish);
  } catch (error) {
    log.error('a message could not be handled', { deliveryId: message.deliveryId, error });
  } finally {
    desk.handling = false;
  }
}

/** Whose review it was, and what it had said yes to, stands in the record of what was taken back for it. */
function noteDismissal(
  desk: Desk,
  { actor, state, reviewId, deliveryId }: Extract<Message, { kind: 'review' }>,
): void {
  if (state !== 'dismissed') return;
  const what = { action: 'dismiss-review', target: '', digest: null, allowed: true };
  noteEvent(desk, `dismiss/${reviewId}`, { actor, ...what, reason: `review ${reviewId}, ${deliveryId}` });
}

function wasHandled(message: Message): Promise<boolean> {
  const { deliveryId, ref } = message;
  return wasDelivered({ deliveryId, repositoryId: ref.repository.id, subject: subjectOf(message) });
}

async function decideOrTell(desk: Desk, wish: Wish): Promise<void> {
  try {
    await decide(desk, wish);
  } catch (error) {
    log.error('a wish could not be decided', { deliveryId: wish.deliveryId, error });
    admitTrouble(desk, wish);
  }
}

/** GitHub tells it in the webhook only: its readings know no more than who made the commit. */
function notePusher(
  desk: Desk,
  { ref, pullRequest: { head }, pusher: login }: Extract<Message, { kind: 'pull-request' }>,
): void {
  if (login === null) return;
  const push = { head, login };
  desk.state = { ...desk.state, pushed: push };
  // The push of a fork is told here only.
  desk.records.push({ kind: 'push', repository: ref.repository, push });
}

/** The first word of a pull request is a comment or a click: look at it before deciding anything. */
async function meet(desk: Desk): Promise<void> {
  const { pullRequest, standing, unapplied } = await inspect({ ref: desk.state.ref, expected: null });
  desk.state = { ...withPullRequest(desk.state, pullRequest), standing };
  // Another one that is over and not followed any more is settled: its checks and its comment stay as they are.
  if (pullRequest.state === 'open' || unapplied === true) await playRound(desk, { kind: 'changed' });
  else desk.state = { ...desk.state, appliesNext: false };
}

/**
 * What GitHub says of the pull request now. A new head, base, state or draft mark is worth a new round; for other words
 * only policies may have to be asked again.
 */
function hear(desk: Desk, message: Extract<Message, { kind: 'pull-request' }>): void {
  const { pullRequest: now, lost } = message;
  const before = desk.state.pullRequest;
  if (before !== null && desk.state.round !== null && isSame(before, now)) {
    // Whoever looked at GitHub missed something there: whatever is not on show yet is shown now.
    if (lost !== undefined || message.unlocked === true) desk.stale = true;
    if (before.state !== 'open') return;
    const { title, labels } = now;
    desk.state = withPullRequest(desk.state, { ...before, title, labels });
    return;
  }
  if (before?.state === 'merged') return;
  noteHealed(desk, message);
  noteMerge(desk, now);
  desk.state = withPullRequest(desk.state, now);
  void playRound(desk, { kind: 'changed' });
}

const isSame = (before: PullRequest, now: PullRequest): boolean =>
  before.state === 'merged' ||
  (before.head === now.head &&
    before.base === now.base &&
    before.draft === now.draft &&
    before.state === now.state);

/** A round under way is let finish first: its plans are good unless the project itself has changed. */
const mayRefresh = (desk: Desk): boolean =>
  desk.planning === null && (desk.refreshes.length > 0 || isReworded(desk));

/** A label or the title changed, and there are policies that see them. */
function isReworded({ state }: Desk): boolean {
  const found = projectsFound(state);
  return found !== null && state.pullRequest?.state === 'open' && areWordsOld(found, state.pullRequest);
}

/** However often the world changed, what is planned here is looked at once. */
async function refresh(desk: Desk, messages: readonly RefreshMessage[]): Promise<void> {
  desk.busy += 1;
  try {
    const applied = [...new Set(messages.flatMap((message) => unseen(desk, message)))];
    if (isRefreshable(desk)) await playRound(desk, { kind: 'refresh', applied });
    else owe(desk, applied);
    for (const { replyTo } of messages) await tellRefreshed(replyTo, desk.state.ref.number);
  } catch (error) {
    log.error('a pull request could not be planned again', { error });
  }
  desk.busy -= 1;
}

/** What cannot be looked at now is planned again by the round that can. */
function owe(desk: Desk, applied: readonly string[]): void {
  const { round } = desk.state;
  if (round === null) return;
  const again = addAgain(round.again, againFor({ kind: 'refresh', applied }));
  desk.state = { ...desk.state, round: { ...round, again } };
}

/** What was applied elsewhere after its plan here was begun: a later plan has seen what that did. */
function unseen({ state }: Desk, { applied, appliedAt }: RefreshMessage): readonly string[] {
  return applied.filter((name) => (findProject(state, name)?.since ?? '') <= appliedAt);
}

/** What nobody wants planned, or what is over, is not looked at again by itself. */
function isRefreshable({ state: { pullRequest, round } }: Desk): boolean {
  if (pullRequest?.state !== 'open' || round === null) return false;
  return !['draft', 'fork', 'cancelled'].includes(round.findings.kind);
}

async function tellRefreshed(replyTo: string, number: number): Promise<void> {
  try {
    await getExternalWorkflowHandle(replyTo).signal(refreshedSignal, number);
  } catch (error) {
    log.warn('nobody heard that the plans are new', { workflow: replyTo, error });
  }
}
