// Which projects get a block with their diff, which a line, and which only a number?
import type { Plan } from '../../workflows/model/plan.ts';
import { addCounts } from '../../workflows/model/plan.ts';
import { countsAhead } from './counts.ts';
import type { FittedDiff } from './fit-diffs.ts';
import { fitDiffs } from './fit-diffs.ts';
import type { LikeProjects } from './like-projects.ts';
import type { Links, Place } from './links.ts';
import { noPages } from './links.ts';
import { link } from './markdown.ts';
import { paragraphBytes } from './paragraphs.ts';
import { projectBlock } from './project-block.ts';
import { urgency } from './table.ts';
import { join, named, nameList, plural } from './wording.ts';

/** A block without room for a few lines of its diff is not worth its frame. */
const minDiffBytes = 200;

/** At most `room` bytes as paragraphs, of whatever is left in full: a resource, a block, a line. */
export function fittedBlocks(
  likes: readonly LikeProjects[],
  room: number,
  links: Links,
  place: Place,
): readonly string[] {
  for (let budget = room; ; ) {
    const blocks = projectBlocks(likes, budget, links, place);
    const over = paragraphBytes(blocks) - room;
    // Below zero no block is left.
    if (over <= 0 || budget < 0) return blocks;
    budget -= over;
  }
}

/**
 * At most `budget` bytes, or a little more. What cannot be taken back comes first and is at least named in a line;
 * every block has its fair share of the room.
 */
function projectBlocks(
  likes: readonly LikeProjects[],
  budget: number,
  links: Links,
  place: Place,
): readonly string[] {
  const sorted = likes.toSorted((a, b) => urgency(a.projects[0]) - urgency(b.projects[0]));
  const { framed, lined, left } = choose(sorted, budget, links, place);
  const diffs = fitDiffs(
    framed.map(({ groups }) => groups ?? []),
    left,
  );
  const blocks = framed.map(({ projects, groups }, index) =>
    projectBlock(projects, groups === null ? null : (diffs[index] ?? nothing), links, place),
  );
  const omitted = sorted
    .filter((like) => !framed.includes(like) && !lined.includes(like))
    .flatMap(({ projects }) => projects.flatMap(({ plan }) => plan ?? []));
  return [
    ...blocks,
    ...(lined.length === 0 ? [] : [lined.map(riskLine).join('\n')]),
    ...(omitted.length === 0 ? [] : [moreProjects(omitted, links, place)]),
  ];
}

const nothing: FittedDiff = { risky: [], rest: [], shownRest: new Map(), left: new Map(), named: 0 };

type Choice = {
  readonly framed: readonly LikeProjects[];
  readonly lined: readonly LikeProjects[];
  /** Bytes for the diffs. */
  readonly left: number;
};

/** A line for everything risky is set aside first; then as many as fit get a block in its place. */
function choose(sorted: readonly LikeProjects[], budget: number, links: Links, place: Place): Choice {
  let free = budget;
  const lined = new Map<LikeProjects, number>();
  for (const like of sorted.filter(isRisky)) {
    const cost = Buffer.byteLength(riskLine(like)) + 1;
    if (cost > free) continue;
    lined.set(like, cost);
    free -= cost;
  }
  const framed = new Set<LikeProjects>();
  let forDiffs = 0;
  for (const like of sorted) {
    const cost = frameBytes(like, links, place) - (lined.get(like) ?? 0);
    if (cost + minDiffBytes > free) continue;
    free -= cost + minDiffBytes;
    forDiffs += minDiffBytes;
    framed.add(like);
    lined.delete(like);
  }
  return { framed: [...framed], lined: [...lined.keys()], left: free + forDiffs };
}

const isRisky = ({ projects: [{ plan, status }] }: LikeProjects): boolean =>
  plan !== null && plan.risky.length > 0 && status.kind !== 'applied';

/** A block without its diff, with the words that say what is left out, and two fences. */
function frameBytes({ projects }: LikeProjects, links: Links, place: Place): number {
  const fences = 40;
  const leftOut = 250;
  return Buffer.byteLength(projectBlock(projects, nothing, links, place)) + fences + leftOut;
}

/** "- `envs/eu`: destroys 12 resources, `aws_subnet.a` first, and replaces `aws_db_instance.main`" */
function riskLine({ projects }: LikeProjects): string {
  const [{ plan }] = projects;
  const parts = (['destroy', 'replace', 'forget'] as const).flatMap((action) => {
    const count = plan?.counts[action] ?? 0;
    const addresses = (plan?.risky ?? []).filter((change) => change.action === action);
    return count === 0 ? [] : [riskWords(action, count, addresses[0]?.address)];
  });
  return `- ${nameList(projects.map(({ name }) => name))}: ${join(parts, 'and')}`;
}

function riskWords(action: string, count: number, first: string | undefined): string {
  if (first === undefined) return `${action}s ${plural(count, 'resource')}`;
  return `${action}s ${named(first)}${count === 1 ? '' : ` and ${count - 1} more`}`;
}

/** What cannot be taken back is counted even where it cannot be named. */
function moreProjects(plans: readonly Plan[], links: Links, place: Place): string {
  const counts = countsAhead(addCounts(plans.map((plan) => plan.counts)), plans.length);
  const check = link('hatchet/plan', links.check('hatchet/plan'));
  const where = place === 'check' ? noPages : `see the ${check} check`;
  return `Not shown: ${plural(plans.length, 'more project')} (${counts}); ${where}.`;
}
