// Has somebody given, changed or dismissed a review?
import { z } from 'zod';
import type { Message } from '../../workflows/messages.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({
  ...repositoryShape,
  action: z.enum(['submitted', 'edited', 'dismissed']),
  review: z.object({ state: z.string() }),
  pull_request: z.object({ number: z.int() }),
});

/** Null for a mere comment. Bots too: what a review says and whether it counts is read afresh. */
export function parsePullRequestReviewEvent(deliveryId: string, payload: unknown): Message | null {
  const event = shape.parse(payload);
  if (event.review.state.toLowerCase() === 'commented') return null;
  const ref = { repository: repositoryOf(event), number: event.pull_request.number };
  return { kind: 'review', deliveryId, ref, actor: event.sender.login };
}
