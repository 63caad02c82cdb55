// What does the one comment on the pull request say?
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import type { Plan } from '../../workflows/model/plan.ts';
import { addCounts } from '../../workflows/model/plan.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { approvalLines } from './approvals.ts';
import { countsAhead } from './counts.ts';
import type { FittedDiff } from './fit-diffs.ts';
import { fitDiffs } from './fit-diffs.ts';
import { footer } from './footer.ts';
import { headlineText } from './headline.ts';
import type { Links } from './links.ts';
import { link } from './markdown.ts';
import { paragraphBytes } from './paragraphs.ts';
import type { ChangeGroup } from './plan-diff.ts';
import { groupChanges } from './plan-diff.ts';
import { problemParagraphs } from './problems.ts';
import { projectBlock } from './project-block.ts';
import { projectTable, urgency } from './table.ts';
import { plural } from './wording.ts';

/** By this first line the comment is found again. */
const commentMarker = '<!-- hatchet:pr -->';

/**
 * GitHub takes 65,536 characters; whether it counts characters, UTF-16 units or bytes, this many UTF-8 bytes fit.
 */
const maxCommentBytes = 65_000;
/** The table must not push out what is destroyed. */
const maxTableBytes = 20_000;
const maxProblemBytes = 12_000;
/** A block without room for a few lines of its diff is not worth its frame. */
const minDiffBytes = 200;

/** The changes of each plan on show, as far as they could be read. */
export type ChangesByPlan = ReadonlyMap<PlanId, PlanChanges>;

/** Markdown of at most `maxCommentBytes`. Everything from outside is escaped; nothing in it is ever read back. */
export function renderComment(view: View, changes: ChangesByPlan, links: Links): string {
  const { head, tail } = frame(view, links);
  const projects = view.projects.flatMap((project) => {
    const known = project.plan === null ? undefined : changes.get(project.plan.id);
    if (!project.plan?.hasChanges) return [];
    return [{ project, groups: known === undefined ? null : groupChanges(known) }];
  });
  let budget = maxCommentBytes - paragraphBytes([...head, ...tail]);
  for (;;) {
    const text = [...head, ...blocks(projects, budget, links), ...tail].join('\n\n');
    const over = Buffer.byteLength(text) - maxCommentBytes;
    // Below zero no block is left; head and tail are bounded by their own limits.
    if (over <= 0 || budget < 0) return text;
    budget -= over;
  }
}

function frame(
  view: View,
  links: Links,
): { readonly head: readonly string[]; readonly tail: readonly string[] } {
  const table = projectTable(view, links, maxTableBytes);
  const approvals = approvalLines(view).map((line) => `- ${line}`);
  const head = [
    `${commentMarker}\n${headlineText(view, links)}`,
    ...(view.editsConfiguration ? ['`hatchet.yaml` is changed here: inactive until merged.'] : []),
    ...(table === null ? [] : [table]),
    ...(approvals.length === 0 ? [] : [approvals.join('\n')]),
    ...problemParagraphs(view, maxProblemBytes),
  ];
  return { head, tail: [footer(view, links)] };
}

/** `groups` is null when the plan's changes could not be read. */
type Shown = { readonly project: ProjectView; readonly groups: readonly ChangeGroup[] | null };

/** The blocks that fit: those with something risky first, each with its fair share of the room. */
function blocks(projects: readonly Shown[], budget: number, links: Links): readonly string[] {
  const kept = framesThatFit(projects, budget, links);
  const frames = kept.reduce((sum, { project }) => sum + frameBytes(project, links), 0);
  const diffs = fitDiffs(
    kept.map(({ groups }) => groups ?? []),
    budget - frames,
  );
  const texts = kept.map(({ project, groups }, index) =>
    projectBlock(project, groups === null ? null : (diffs[index] ?? nothing), links),
  );
  const omitted = projects
    .filter((shown) => !kept.includes(shown))
    .flatMap(({ project }) => project.plan ?? []);
  return omitted.length === 0 ? texts : [...texts, moreProjects(omitted, links)];
}

const nothing: FittedDiff = { risky: [], rest: [], shownRest: new Map(), left: new Map(), named: 0 };

function framesThatFit(projects: readonly Shown[], budget: number, links: Links): readonly Shown[] {
  const kept = new Set<Shown>();
  let left = budget;
  for (const shown of projects.toSorted((a, b) => urgency(a.project) - urgency(b.project))) {
    const cost = frameBytes(shown.project, links) + minDiffBytes;
    if (cost > left) continue;
    left -= cost;
    kept.add(shown);
  }
  return projects.filter((shown) => kept.has(shown));
}

/** A block without its diff, with the words that say what is left out, and two fences. */
function frameBytes(project: ProjectView, links: Links): number {
  const fences = 40;
  const leftOut = 250;
  return Buffer.byteLength(projectBlock(project, nothing, links)) + fences + leftOut;
}

/** What cannot be taken back is counted even where it cannot be named. */
function moreProjects(plans: readonly Plan[], links: Links): string {
  const counts = countsAhead(addCounts(plans.map((plan) => plan.counts)), plans.length);
  const check = link('hatchet/plan', links.check('hatchet/plan'));
  return `Not shown: ${plural(plans.length, 'more project')} (${counts}); see the ${check} check.`;
}
