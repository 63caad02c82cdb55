// Which messages does a webhook carry? The table of events that Hatchet listens to.
import type { Message } from '../../workflows/messages.ts';
import { parseCheckRunEvent } from './check-run.ts';
import { parseCheckSuiteEvent } from './check-suite.ts';
import { parseIssueCommentEvent } from './issue-comment.ts';
import { parsePullRequestEvent } from './pull-request.ts';

const one = (message: Message | null): readonly Message[] => (message === null ? [] : [message]);

const parsers: Readonly<Record<string, (id: string, payload: unknown) => readonly Message[]>> = {
  pull_request: (id, payload) => one(parsePullRequestEvent(id, payload)),
  issue_comment: (id, payload) => one(parseIssueCommentEvent(id, payload)),
  check_run: (id, payload) => one(parseCheckRunEvent(id, payload)),
  check_suite: parseCheckSuiteEvent,
};

/**
 * None for events that change nothing by themselves: a push to a base branch and a review are read afresh before an
 * apply; merge groups and installations are not acted on yet.
 */
export function parse(event: string, deliveryId: string, payload: unknown): readonly Message[] {
  return parsers[event]?.(deliveryId, payload) ?? [];
}
