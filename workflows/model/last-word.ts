// Which word of one person on one plan holds, in whatever order they arrive?
import type { Approval, Rejection } from './approval.ts';

type Yes = Pick<Approval, 'via' | 'at' | 'notBefore'>;
type No = Pick<Rejection, 'at'>;
type Word = ({ readonly kind: 'approval' } & Yes) | ({ readonly kind: 'rejection' } & No);

/** Does the word that arrives replace the one that is known? Of two of a kind the later holds. */
export function replacesWord(arriving: Word, known: Word): boolean {
  if (arriving.kind === 'approval' && known.kind === 'rejection') return outweighs(arriving, known);
  if (arriving.kind === 'rejection' && known.kind === 'approval') return !outweighs(known, arriving);
  return Date.parse(arriving.at) >= Date.parse(known.at);
}

/** A no gives way only to a yes that was surely given later. */
export function outweighs(yes: Yes, no: No): boolean {
  return surelyAfter(yes) > Date.parse(no.at);
}

/** Milliseconds. GitHub tells when something was written; of a click nobody knows more than what was there to click on. */
function surelyAfter({ via, at, notBefore }: Yes): number {
  if (via !== 'button') return Date.parse(at);
  return notBefore === undefined ? Number.NEGATIVE_INFINITY : Date.parse(notBefore);
}
