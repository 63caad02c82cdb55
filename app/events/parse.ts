// Which messages does a webhook carry? The table of events that Hatchet listens to.
import type { Message } from '../../workflows/messages.ts';
import { parseCheckRunEvent } from './check-run.ts';
import { parseCheckSuiteEvent } from './check-suite.ts';
import { parseIssueCommentEvent } from './issue-comment.ts';
import { parsePullRequestEvent } from './pull-request.ts';

const one = (message: Message | null): readonly Message[] => (message === null ? [] : [message]);

/**
 * Events that are only noted for now have no parser: a push to a base branch and a review change nothing by
 * themselves (an apply reads both afresh), merge groups and installations are not acted on yet.
 */
export const parsers = {
  pull_request: (id: string, payload: unknown) => one(parsePullRequestEvent(id, payload)),
  issue_comment: (id: string, payload: unknown) => one(parseIssueCommentEvent(id, payload)),
  check_run: (id: string, payload: unknown) => one(parseCheckRunEvent(id, payload)),
  check_suite: parseCheckSuiteEvent,
  push: () => [],
  merge_group: () => [],
  pull_request_review: () => [],
  installation: () => [],
  installation_repositories: () => [],
} as const satisfies Record<string, (id: string, payload: unknown) => readonly Message[]>;
