// What happens to one pull request, from its first event until everything it asked for is settled?
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { applyMerged, isQuiet, noteNews } from './applying.ts';
import { decide, misunderstood } from './deciding.ts';
import type { Desk } from './desk.ts';
import { createDesk, isCalm, keepRecording, keepShowing, receive } from './desk.ts';
import type { Message, ProjectNews } from './messages.ts';
import { messageSignal, projectNewsSignal } from './messages.ts';
import type { PullRequest } from './model/pull-request.ts';
import type { PullRequestState } from './model/pull-request-state.ts';
import { projectsFound } from './model/pull-request-state.ts';
import { isSettled, planOf } from './model/round.ts';
import type { RoundReason } from './planning.ts';
import { beginRound } from './planning.ts';
import { askProject, inspect } from './proxies.ts';
import { wishOf } from './wishes.ts';

/** Started by the first message of a pull request (signalWithStart); lives until it is closed and settled. */
export async function pullRequestWorkflow(state: PullRequestState): Promise<void> {
  const desk = createDesk(state);
  setHandler(messageSignal, (message) => receive(desk, message));
  setHandler(projectNewsSignal, (news) => {
    desk.news.push(news);
  });
  void keepShowing(desk);
  void keepRecording(desk);
  for (;;) {
    await condition(() => desk.news.length > 0 || desk.inbox.length > 0 || mayRest(desk));
    const news = desk.news.shift();
    const message = news === undefined ? desk.inbox.shift() : undefined;
    if (news !== undefined) heed(desk, news);
    else if (message !== undefined) await handle(desk, message);
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

/** Closed without a merge, or merged with nothing left to apply. A merged one whose apply is missing goes on. */
function isOver(desk: Desk): boolean {
  const { pullRequest, round } = desk.state;
  if (pullRequest === null || round === null || pullRequest.state === 'open') return false;
  if (pullRequest.state === 'closed') return true;
  const found = projectsFound(desk.state);
  return found !== null && round.plannedAt !== null && found.projects.every(isSettled);
}

async function giveUpLocks(desk: Desk): Promise<void> {
  const { ref, touched } = desk.state;
  await Promise.all(
    touched.map(({ dir, workspace }) =>
      askProject({
        repository: ref.repository,
        project: { dir, workspace },
        request: { kind: 'release', ref, why: 'closed' },
      }),
    ),
  );
  desk.state = { ...desk.state, touched: [] };
}

function heed(desk: Desk, news: ProjectNews): void {
  if (noteNews(desk, news)) void plan(desk, mergedReason(desk));
}

/** A stale plan of a merged pull request is made again and, when it is the same, applied without asking anew. */
const mergedReason = (desk: Desk): RoundReason =>
  desk.state.pullRequest?.state === 'merged' ? { kind: 'merge' } : { kind: 'changed' };

async function handle(desk: Desk, message: Message): Promise<void> {
  try {
    if (message.kind === 'pull-request') return hear(desk, message.pullRequest);
    if (desk.state.pullRequest === null) await meet(desk);
    const wish = wishOf(message);
    if (wish === null) return;
    if ('verb' in wish) return await decide(desk, wish);
    if (message.kind === 'command') misunderstood(desk, message, wish);
  } catch (error) {
    log.error('a message could not be handled', { deliveryId: message.deliveryId, error });
  }
}

/** The first word of a pull request is a comment or a click: look at it before deciding anything. */
async function meet(desk: Desk): Promise<void> {
  const { pullRequest } = await inspect({ ref: desk.state.ref });
  desk.state = { ...desk.state, pullRequest };
  if (pullRequest.state !== 'closed') await plan(desk, { kind: 'changed' });
}

/** What GitHub says of the pull request now. Only a new head, base, state or draft mark is worth a new round. */
function hear(desk: Desk, now: PullRequest): void {
  const before = desk.state.pullRequest;
  const merged = now.state === 'merged' && before?.state !== 'merged';
  const same =
    before !== null &&
    before.head === now.head &&
    before.base === now.base &&
    before.draft === now.draft &&
    before.state === now.state;
  if (same && desk.state.round !== null) return;
  if (merged) rememberReviewed(desk);
  desk.state = { ...desk.state, pullRequest: now };
  void plan(desk, merged ? { kind: 'merge' } : { kind: 'changed' });
}

/** Only plans that people could see before they merged count as reviewed. */
function rememberReviewed(desk: Desk): void {
  const projects = projectsFound(desk.state)?.projects ?? desk.state.round?.before?.projects ?? [];
  const reviewed = projects.flatMap((project) => {
    const plan = planOf(project);
    return plan !== null && project.shownAt !== null ? [plan.digest] : [];
  });
  desk.state = { ...desk.state, reviewed };
}

async function plan(desk: Desk, reason: RoundReason): Promise<void> {
  const end = await beginRound(desk, reason);
  if (end === 'overtaken' || reason.kind !== 'merge') return;
  try {
    await applyMerged(desk);
  } catch (error) {
    log.error('a merged pull request could not be applied', { error });
  }
}
