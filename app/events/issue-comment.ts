// Is a new comment a command, and which?
import { z } from 'zod';
import type { Message } from '../../workflows/messages.ts';
import { parseCommand } from '../../workflows/model/command.ts';
import { isBot, repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({
  ...repositoryShape,
  action: z.literal('created'),
  issue: z.object({ number: z.int(), pull_request: z.object({}) }),
  comment: z.object({
    id: z.int(),
    node_id: z.string(),
    body: z.string(),
    created_at: z.iso.datetime(),
    user: z.object({ login: z.string(), type: z.string().optional() }),
  }),
});

/** Null for edits, deletions, comments on issues, bots, and everything that is no command. */
export function parseIssueCommentEvent(deliveryId: string, payload: unknown): Message | null {
  const about = z
    .object({ action: z.string(), issue: z.object({ pull_request: z.object({}).optional() }) })
    .parse(payload);
  if (about.action !== 'created' || about.issue.pull_request === undefined) return null;
  const event = shape.parse(payload);
  const { user, body, id, node_id, created_at } = event.comment;
  const command = isBot(user) ? null : parseCommand(body);
  if (command === null) return null;
  const ref = { repository: repositoryOf(event), number: event.issue.number };
  return {
    kind: 'command',
    deliveryId,
    ref,
    command,
    actor: user.login,
    commentNodeId: node_id,
    commentId: id,
    createdAt: new Date(created_at).toISOString(),
  };
}
