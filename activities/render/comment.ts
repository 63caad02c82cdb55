// What does the one comment on the pull request say?
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import type { View } from '../../workflows/model/view.ts';
import { approvalLines } from './approvals.ts';
import { requirementLines } from './checklist.ts';
import { diagnosticText } from './diagnostics.ts';
import { footer } from './footer.ts';
import { openingParagraphs } from './headline.ts';
import { likeProjects } from './like-projects.ts';
import type { Links } from './links.ts';
import { paragraphBytes } from './paragraphs.ts';
import { problemParagraphs } from './problems.ts';
import { fittedBlocks } from './project-blocks.ts';
import { projectTable } from './table.ts';
import { nameList } from './wording.ts';

/** By this first line the comment is found again. */
const commentMarker = '<!-- hatchet:pr -->';

/**
 * GitHub takes 65,536 characters; whether it counts characters, UTF-16 units or bytes, this many UTF-8 bytes fit.
 */
const maxCommentBytes = 65_000;
/** The table must not push out what is destroyed. */
const maxTableBytes = 20_000;
const maxProblemBytes = 12_000;
/** The changes of each plan on show, as far as they could be read. */
export type ChangesByPlan = ReadonlyMap<PlanId, PlanChanges>;

/** Markdown of at most `maxCommentBytes`. Everything from outside is escaped; nothing in it is ever read back. */
export function renderComment(view: View, changes: ChangesByPlan, links: Links): string {
  const { head, tail } = frame(view, links);
  const likes = likeProjects(view.projects, changes);
  // Head and tail are bounded by their own limits.
  const room = maxCommentBytes - paragraphBytes([...head, ...tail]);
  return [...head, ...fittedBlocks(likes, room, links, 'comment'), ...tail].join('\n\n');
}

function frame(
  view: View,
  links: Links,
): { readonly head: readonly string[]; readonly tail: readonly string[] } {
  const table = projectTable(view, links, maxTableBytes, 'comment');
  const approvals = [...requirementLines(view), ...approvalLines(view)].map((line) => `- ${line}`);
  const [first = '', ...opening] = openingParagraphs(view, links);
  const head = [
    `${commentMarker}\n${first}`,
    ...opening,
    ...inactiveLines(view),
    ...(table === null ? [] : [table]),
    ...(approvals.length === 0 ? [] : [approvals.join('\n')]),
    ...problemParagraphs(view, maxProblemBytes),
  ];
  return { head, tail: [footer(view, links)] };
}

/** What a pull request may not change for itself. */
function inactiveLines({ editsConfiguration, inactiveEntries, editedPolicies }: View): readonly string[] {
  const { files, problems } = editedPolicies;
  const [problem, ...others] = problems;
  return [
    ...(editsConfiguration
      ? [`\`hatchet.yaml\` is changed here: inactive until merged.${entriesSentence(inactiveEntries)}`]
      : []),
    ...(files.length === 0
      ? []
      : [
          `${files.length === 1 ? 'The policy' : 'The policies'} ${nameList(files)} ${files.length === 1 ? 'is' : 'are'} changed here: inactive until merged.`,
        ]),
    ...(problem === undefined
      ? []
      : [
          `Merged as it is here, it could not judge. ${diagnosticText(problem)}${others.length === 0 ? '' : ` (and ${others.length} more)`}`,
        ]),
  ];
}

/** Begins with a space. A merge is planned by what the base branch said before it. */
function entriesSentence(entries: readonly string[]): string {
  if (entries.length === 0) return '';
  const [are, them, their] = entries.length === 1 ? ['is', 'it', 'its'] : ['are', 'them', 'their'];
  return ` ${nameList(entries)} ${are} new or changed there. Nothing plans ${them} that way here, nor when this is merged: the next pull request that changes ${their} files does.`;
}
