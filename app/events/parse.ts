// Which messages does a webhook carry? The table of events that Hatchet listens to.
import type { GroupNews, InstallationNews, Message, RepositoryNews } from '../../workflows/messages.ts';
import { parseCheckRunEvent } from './check-run.ts';
import { parseCheckSuiteEvent } from './check-suite.ts';
import { parseInstallationEvent } from './installation.ts';
import { parseIssueCommentEvent } from './issue-comment.ts';
import { parseMergeGroupEvent } from './merge-group.ts';
import { parsePullRequestEvent } from './pull-request.ts';
import { parsePullRequestReviewEvent } from './pull-request-review.ts';
import { parsePushEvent } from './push.ts';

/** What a webhook says, and with it to which workflow. */
export type Incoming = Message | RepositoryNews | GroupNews | InstallationNews;

const one = (found: Incoming | null): readonly Incoming[] => (found === null ? [] : [found]);

const parsers: Readonly<Record<string, (id: string, payload: unknown) => readonly Incoming[]>> = {
  pull_request: (id, payload) => one(parsePullRequestEvent(id, payload)),
  pull_request_review: (id, payload) => one(parsePullRequestReviewEvent(id, payload)),
  issue_comment: (id, payload) => one(parseIssueCommentEvent(id, payload)),
  check_run: parseCheckRunEvent,
  check_suite: parseCheckSuiteEvent,
  merge_group: (_, payload) => one(parseMergeGroupEvent(payload)),
  installation: (_, payload) => [parseInstallationEvent(payload)],
  installation_repositories: (_, payload) => [parseInstallationEvent(payload)],
  push: (_, payload) => one(parsePushEvent(payload)),
};

/** None for events that change nothing by themselves. */
export function parse(event: string, deliveryId: string, payload: unknown): readonly Incoming[] {
  return (Object.hasOwn(parsers, event) && parsers[event]?.(deliveryId, payload)) || [];
}
