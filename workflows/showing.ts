// When do people see what has become of a pull request?
import { condition, log } from '@temporalio/workflow';
import type { Desk } from './desk.ts';
import { changeProject, hasNews } from './desk.ts';
import { viewOf } from './model/picture.ts';
import { knownProjects, projectsFound } from './model/pull-request-state.ts';
import { isUnderWay, planOf } from './model/round.ts';
import type { View } from './model/view.ts';
import type { Answer } from './port/answer.ts';
import { answer, show } from './proxies.ts';
import { dropReplaced } from './taking-back.ts';

/** What GitHub refused (a missing permission, say) is tried again when something changes, and ever less often. */
const firstShowAgainMs = 60_000;
const maxShowAgainMs = 60 * 60_000;

/**
 * How far many applies are is told this often while they go on; with nothing under way any more, at once. A quick one
 * is so written twice: when it is asked for and when it is over. It is as long as a plan may take in silence.
 */
export const progressMs = 5_000;

/**
 * A project that takes an apply says so in a tenth of a second: until then there is nothing to tell, and drawing it would
 * only hold the apply up. Nobody notices half a second.
 */
const firstWordMs = 500;

/** Shows the newest picture whenever the old one is stale; one write at a time, so that writes never cross. */
export async function keepShowing(desk: Desk): Promise<never> {
  let wait = firstShowAgainMs;
  let shownAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    await condition(() => hasNews(desk));
    if (isJustAsked(desk)) await condition(() => !isJustAsked(desk), firstWordMs);
    const pause = shownAt + progressMs - Date.now();
    if (pause > 0) await condition(() => !mayWait(desk), pause);
    const { answers } = desk;
    desk.answers = [];
    desk.stale = false;
    desk.progressed = false;
    desk.showing = true;
    const shown = await showOnce(desk, viewOf(desk.state), answers);
    desk.showing = false;
    shownAt = Date.now();
    wait = shown ? firstShowAgainMs : Math.min(wait * 2, maxShowAgainMs);
    if (shown) continue;
    await condition(() => desk.stale || desk.progressed, wait);
    desk.stale = true;
  }
}

/** An apply or a turn was asked for, and its project has not said a word yet. */
const isJustAsked = (desk: Desk): boolean =>
  knownProjects(desk.state).some(
    ({ apply, turn }) => apply?.phase.kind === 'asked' || turn?.kind === 'asked',
  );

/** Nobody is answered, nothing is decided, and more of the same is to come. */
const mayWait = (desk: Desk): boolean =>
  !desk.stale &&
  desk.answers.length === 0 &&
  (desk.planning !== null || knownProjects(desk.state).some(isUnderWay));

/** False when it could not be shown; that must not stop the work, and the log has the cause. */
async function showOnce(desk: Desk, view: View | null, answers: readonly Answer[]): Promise<boolean> {
  const { ref, pullRequest } = desk.state;
  try {
    if (view !== null) {
      const shown = await show({ view, answers });
      if (shown.at !== null && view.comment) markShown(desk, view, shown.at);
    } else if (pullRequest !== null && answers.length > 0) {
      await answer({ ref, nodeId: pullRequest.nodeId, answers });
    }
    return true;
  } catch (error) {
    log.error('the pull request could not be shown', { error });
    desk.answers = [...answers, ...desk.answers];
    return false;
  }
}

/** From now on these plans are what people see, and no others; a plan that was on show before keeps its time. */
function markShown(desk: Desk, view: View, at: string): void {
  for (const { name, plan } of view.projects) {
    const current = projectsFound(desk.state)?.projects.find((project) => project.project.name === name);
    const same = current !== undefined && plan !== null && planOf(current)?.id === plan.id;
    if (same && current.shownAt === null) changeProject(desk, name, { shownAt: at });
    if (same) dropReplaced(desk, name, plan.digest);
  }
}
