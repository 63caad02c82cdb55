// Which texts of a picture have to be made anew, and which are still those of the last one?
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { Check } from '../../workflows/model/check.ts';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import type { RenderedCheck } from '../render/checks.ts';
import { projectsOn, renderCheck } from '../render/checks.ts';
import { renderComment } from '../render/comment.ts';
import type { Links } from '../render/links.ts';
import { createKept } from './kept.ts';
import { brokenRuns, shownRunsOf } from './shown-runs.ts';

/** The texts of one picture. Plans are read only for a text that has to be made. */
export type Renderer = (
  view: View,
  links: Links,
) => {
  readonly comment: () => Promise<string>;
  readonly check: (check: Check) => Promise<RenderedCheck>;
};

/** The texts of some hundred pull requests. */
const maxTextBytes = 8 * 1024 * 1024;
/** The changes of what is being approved and applied; a plan of 5,000 resources takes about 5 MB. */
const maxChangesBytes = 24 * 1024 * 1024;

export function createRenderer(readPlanChanges: (id: PlanId) => Promise<PlanChanges>): Renderer {
  const comments = createKept<string>(maxTextBytes);
  const checks = createKept<RenderedCheck>(maxTextBytes);
  const plans = createKept<PlanChanges>(maxChangesBytes);

  const read = async ({ plan }: ProjectView): Promise<readonly [PlanId, PlanChanges][]> => {
    if (plan?.hasChanges !== true) return [];
    const known = plans.get(plan.id);
    if (known !== undefined) return [[plan.id, known]];
    const changes = await readOrNone(readPlanChanges, plan.id);
    if (changes === null) return [];
    plans.set(plan.id, changes, bytesOf(changes));
    return [[plan.id, changes]];
  };
  const readAll = async (projects: readonly ProjectView[]) =>
    new Map((await Promise.all(projects.map(read))).flat());

  return (view, links) => {
    const whole = digestOf([{ ...view, checks: [], roundId: '' }, addressesOf(view, view.projects, links)]);
    return {
      async comment() {
        const known = comments.get(whole);
        if (known !== undefined) return known;
        const text = renderComment(view, await readAll(view.projects), links);
        comments.set(whole, text, text.length);
        await nextTurn();
        return text;
      },
      async check(check) {
        const own = view.projects.filter(({ name }) => name === check.project);
        const about = own.length === 0 ? whole : [own, view.sha === view.head, addressesOf(view, own, links)];
        const key = digestOf([check, about]);
        const known = checks.get(key);
        if (known !== undefined) return known;
        const rendered = renderCheck(check, view, await readAll(projectsOn(check, view, links)), links);
        checks.set(key, rendered, JSON.stringify(rendered).length);
        // A large plan takes a while: between two texts others get their turn.
        await nextTurn();
        return rendered;
      },
    };
  };
}

/** What has expired after months is not shown; the rest of the picture is. */
async function readOrNone(
  readPlanChanges: (id: PlanId) => Promise<PlanChanges>,
  id: PlanId,
): Promise<PlanChanges | null> {
  try {
    return await readPlanChanges(id);
  } catch (error) {
    if (error instanceof ApplicationFailure && error.nonRetryable) return null;
    throw error;
  }
}

/** Everything that a text may lead to. */
function addressesOf(view: View, projects: readonly ProjectView[], links: Links): readonly unknown[] {
  const runs = projects.flatMap((project) => [
    ...shownRunsOf(project).map(({ id }) => links.run(id)),
    project.plan === null ? null : links.run(project.plan.runId),
  ]);
  const broken = brokenRuns(view).map(({ id }) => links.run(id));
  return [
    view.checks.map(({ name }) => links.check(name)),
    view.checks.map(({ name }) => name),
    runs,
    broken,
  ];
}

const digestOf = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('base64');

/** About as much as its text: objects around it cost the same again for small values. */
function bytesOf({ resources, outputs }: PlanChanges): number {
  const value = (one: { readonly kind: string; readonly json?: string }): number =>
    (one.json?.length ?? 0) + 50;
  const perResource = resources.reduce(
    (sum, { address, attributes }) =>
      sum +
      address.length +
      200 +
      attributes.reduce(
        (all, { path, before, after }) => all + path.length + value(before) + value(after),
        0,
      ),
    0,
  );
  return outputs.reduce(
    (sum, { name, before, after }) => sum + name.length + value(before) + value(after),
    perResource,
  );
}
