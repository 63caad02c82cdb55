// What is said of a state that Terraform could not write, and of how it is put back?
import type { UnwrittenState } from '../../workflows/model/unwritten-state.ts';
import { inlineCode } from './markdown.ts';
import { named } from './wording.ts';

/** `number`: null where it is the pull request that is spoken of. */
type Told = Omit<UnwrittenState, 'number'> & { readonly number: number | null };

/** Planning and applying from the older state would make everything a second time. */
export function unwrittenParagraph(project: string, { runId, number, kept }: Told): string {
  const when = number === null ? '' : ` when #${number} was applied`;
  const fetch = inlineCode(`npm run state -- --run ${runId} --out errored.tfstate`);
  const push = inlineCode('terraform state push errored.tfstate');
  const where = kept
    ? '**Hatchet keeps it, encrypted.**'
    : "**Only the runner's disk has it yet**; Hatchet keeps it, encrypted, as soon as the runner can reach it.";
  return `Terraform could not write the state of ${named(project)}${when}. ${where} Before anything else is applied here, whoever runs Hatchet fetches it with ${fetch}, puts it back with ${push} in the project's directory, and says so with ${inlineCode(`npm run state -- --run ${runId} --put-back`)}. Who needs it no more comments \`/hatchet unlock\`.`;
}

/** One sentence for whoever asked for an apply. */
export function unwrittenSentence(project: string, { runId, number }: UnwrittenState): string {
  return `Terraform could not write the state of ${named(project)} when #${number} was applied (run ${inlineCode(runId)}). It has to be put back first, or given up by ${inlineCode('/hatchet unlock')}; the comment there says how. Then comment ${inlineCode('/hatchet plan')}.`;
}
