// May several who ask the world the same get one answer?

type Shared<Answer> = { readonly countsUntil: number; readonly answer: Promise<Answer> };

/** What GitHub answers may itself be as old. One wish can begin dozens of applies within it. */
const sharedForMs = 1_000;

/**
 * Whoever asks within a second of another for the same (`keyOf`) gets the same answer, counted from the moment in which
 * it was asked for; a failure is not shared with those who come later. `anew`: an older answer would not do, and for
 * so many milliseconds the others get this one.
 */
export function shareReadings<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  keyOf: (question: Question) => string,
): (question: Question, anew?: { readonly forMs: number }) => Promise<Answer> {
  const known = new Map<string, Shared<Answer>>();
  return (question, anew) => {
    const now = performance.now();
    for (const [key, { countsUntil }] of known) if (now > countsUntil) known.delete(key);
    const key = keyOf(question);
    const shared = known.get(key);
    if (shared !== undefined && anew === undefined) return shared.answer;
    const answer = ask(question);
    known.set(key, { countsUntil: now + (anew?.forMs ?? sharedForMs), answer });
    answer.catch(() => known.get(key)?.answer === answer && known.delete(key));
    return answer;
  };
}
