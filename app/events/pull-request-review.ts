// Has somebody given, changed or dismissed a review?
import { z } from 'zod';
import type { Message } from '../../workflows/messages.ts';
import { repositoryOf, repositoryShape } from './repository.ts';

const shape = z.object({
  ...repositoryShape,
  action: z.enum(['submitted', 'edited', 'dismissed']),
  review: z.object({ id: z.int(), state: z.string() }),
  pull_request: z.object({ number: z.int() }),
});

/** Null for a mere comment. Bots too: what a review says and whether it counts is read afresh. */
export function parsePullRequestReviewEvent(deliveryId: string, payload: unknown): Message | null {
  const event = shape.parse(payload);
  const state = event.review.state.toLowerCase();
  if (state === 'commented') return null;
  const ref = { repository: repositoryOf(event), number: event.pull_request.number };
  return { kind: 'review', deliveryId, ref, actor: event.sender.login, reviewId: event.review.id, state };
}
