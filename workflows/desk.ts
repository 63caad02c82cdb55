// What lies on the desk of a pull request's workflow?

import type { CancellationScope } from '@temporalio/workflow';
import { log } from '@temporalio/workflow';
import type { Message, ProjectNews } from './messages.ts';
import { subjectOf } from './messages.ts';
import type { PullRequest } from './model/pull-request.ts';
import type { PullRequestState } from './model/pull-request-state.ts';
import { knownProjects, maxDeliveriesRemembered, projectsFound } from './model/pull-request-state.ts';
import type { ProjectState } from './model/round.ts';
import { isUnderWay, withProject } from './model/round.ts';
import type { Answer } from './port/answer.ts';
import type { AuditEvent, RecordEntry } from './port/record.ts';

export type RefreshMessage = Extract<Message, { kind: 'refresh' }>;

/** Signal handlers put things down here; the main loop takes them up. The one mutable record of the workflow. */
export type Desk = {
  state: PullRequestState;
  readonly inbox: Message[];
  readonly news: ProjectNews[];
  /** Answers that go out with the next picture. */
  answers: Answer[];
  /** Facts that are still to be written into the record. */
  records: RecordEntry[];
  /** The picture on GitHub is older than the state. */
  stale: boolean;
  /** It is, but only by how far things are: that may wait a little for more of it. */
  progressed: boolean;
  showing: boolean;
  /** A message is being taken up. */
  handling: boolean;
  /** The world changed around what is planned here; taken up when nothing is being planned. */
  readonly refreshes: RefreshMessage[];
  /** How many rounds and what follows them are under way, also those that were overtaken. */
  busy: number;
  /** The planning under way; null when there is none. */
  planning: CancellationScope | null;
};

export function createDesk(state: PullRequestState): Desk {
  return {
    state,
    inbox: [],
    news: [],
    answers: [],
    records: [],
    stale: false,
    progressed: false,
    showing: false,
    handling: false,
    refreshes: [],
    busy: 0,
    planning: null,
  };
}

/** A delivery that came before changes nothing, nor does a comment that was heard of by another way. */
export function receive(desk: Desk, message: Message): void {
  if (!isOwn(desk, message)) {
    const { deliveryId, kind } = message;
    log.warn('refused a message about another pull request', { deliveryId, kind });
    return;
  }
  const names = [message.deliveryId, subjectOf(message)].filter((name) => name !== null);
  if (names.some((name) => desk.state.seen.includes(name))) return;
  const seen = [...desk.state.seen, ...names].slice(-maxDeliveriesRemembered);
  // A repository is renamed and the App installed anew: the last message knows best.
  desk.state = { ...desk.state, ref: message.ref, seen };
  desk.inbox.push(message);
}

/** Names change, a repository's id does not. */
function isOwn({ state: { ref } }: Desk, message: Message): boolean {
  return message.ref.repository.id === ref.repository.id && message.ref.number === ref.number;
}

export function noteDelivery(desk: Desk, message: Message): void {
  const { deliveryId, ref, kind: what } = message;
  desk.records.push({ kind: 'delivery', deliveryId, ref, what, subject: subjectOf(message) });
}

/** What nobody would have heard of, had the schedule not looked. */
export function noteHealed(desk: Desk, { deliveryId, ref, lost }: Message): void {
  if (lost === undefined) return;
  const { repository, number } = ref;
  log.info('healed', { lost });
  const event = { ...healed, repository, number, target: lost, reason: 'GitHub did not get it across' };
  desk.records.push({ kind: 'event', key: `heal:${deliveryId}`, event });
}

const healed = { actor: 'hatchet', action: 'heal', digest: null, allowed: true } as const;

/** For the record of who did what. `key` names the fact within the pull request: it is recorded once. */
export function noteEvent(desk: Desk, key: string, event: Omit<AuditEvent, 'repository' | 'number'>): void {
  const { repository, number } = desk.state.ref;
  const full = { repository, number, ...event };
  desk.records.push({ kind: 'event', key: `${repository.id}/${number}/${key}`, event: full });
}

/** GitHub says who merged it, to whoever hears or reads it first; what that lets happen is recorded where it does. */
export function noteMerge(desk: Desk, { mergeCommit, mergedBy }: PullRequest): void {
  if (mergeCommit === null || mergedBy === null) return;
  const event = { actor: mergedBy, action: 'merge', target: '', digest: null, allowed: true };
  noteEvent(desk, `merge/${mergeCommit}`, { ...event, reason: mergeCommit });
}

/** People wait for what comes next. */
export const isBusy = (desk: Desk): boolean =>
  desk.planning !== null ||
  desk.showing ||
  desk.handling ||
  hasNews(desk) ||
  desk.inbox.length > 0 ||
  knownProjects(desk.state).some(isUnderWay);

/** Changes one project, in the current round or, while that has none, in the one before. */
export function changeProject(desk: Desk, name: string, change: Partial<ProjectState>): void {
  const { round } = desk.state;
  if (round === null) return;
  const found = projectsFound(desk.state);
  const changed =
    found === null
      ? { before: round.before === null ? null : withProject(round.before, name, change) }
      : { findings: withProject(found, name, change) };
  desk.state = { ...desk.state, round: { ...round, ...changed } };
}

/** The picture on GitHub says less than there is to say. */
export const hasNews = (desk: Desk): boolean => desk.stale || desk.progressed || desk.answers.length > 0;

/** Everything that was to be shown is on GitHub. */
const allShown = (desk: Desk): boolean => !hasNews(desk) && !desk.showing;

/** Nothing is under way beside the main loop. */
export const isCalm = (desk: Desk): boolean =>
  desk.busy === 0 &&
  desk.planning === null &&
  desk.refreshes.length === 0 &&
  allShown(desk) &&
  desk.records.length === 0 &&
  // Where nothing was found, it waits for a round that finds something.
  (!desk.state.appliesNext || projectsFound(desk.state) === null);
