// Which answers to people are not on GitHub yet?
import type { Answer } from '../../workflows/port/answer.ts';
import { renderReply } from '../render/reply.ts';
import type { Due, Surface } from './surfaces.ts';
import { hashOf } from './surfaces.ts';

/** A reaction and a reply per answer; the reply's hidden mark tells it from any other after a lost response. */
export function dueAnswers(
  subjectId: string,
  answers: readonly Answer[],
  surfaces: readonly Surface[],
): readonly Due[] {
  const due = answers.flatMap(({ id, commentNodeId, reaction, reply }) => {
    const surface = (kind: string) => ({
      key: `${kind}:${id}`,
      hash: hashOf(id),
      annotationsHash: '',
      open: false,
    });
    const reactionDue: Due[] =
      reaction === null || commentNodeId === null
        ? []
        : [
            {
              write: { field: 'addReaction', input: { subjectId: commentNodeId, content: reaction } },
              surface: surface('reaction'),
            },
          ];
    const body = reply === null ? null : `${replyMark(id)}\n${renderReply(reply)}`;
    const replyDue: Due[] =
      body === null
        ? []
        : [{ write: { field: 'addComment', input: { subjectId, body } }, surface: surface('reply') }];
    return [...reactionDue, ...replyDue];
  });
  return due.filter(
    ({ surface }) => !surfaces.some((known) => known.key === surface.key || isRecovered(known, surface)),
  );
}

/** A reply found on GitHub after a lost answer is known by its mark only. */
const isRecovered = (known: Surface, wanted: Due['surface']): boolean =>
  known.key === 'reply' && wanted.key.startsWith('reply:') && known.hash === wanted.hash;

const replyMark = (id: string): string => `<!-- hatchet:reply ${hashOf(id)} -->`;
