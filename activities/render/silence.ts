// What does a check say while GitHub does not take the comment?
import type { Check } from '../../workflows/model/check.ts';
import type { RenderedCheck } from './checks.ts';

/** `locked`: somebody has locked the conversation. `refused`: for another reason. */
export type Silence = 'locked' | 'refused';

const words: Readonly<Record<Silence, string>> = {
  locked:
    "**The conversation of this pull request is locked: GitHub does not take Hatchet's comment, which is missing or out of date.** It is written when somebody unlocks the conversation; until then the checks say what there is to know.",
  refused:
    "**GitHub does not take Hatchet's comment, which is missing or out of date.** Whoever runs Hatchet finds the cause in its log; until then the checks say what there is to know.",
};

/** On one check only: the one that every picture has. A summary has room for it, see `renderCheck`. */
export function withSilence(check: Check, rendered: RenderedCheck, silence: Silence | null): RenderedCheck {
  if (silence === null || check.name !== 'hatchet/plan') return rendered;
  return { ...rendered, summary: `${words[silence]}\n\n${rendered.summary}` };
}
