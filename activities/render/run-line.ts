// Where is everything about a project's runs?
import type { ProjectView } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { link } from './markdown.ts';

/** "[Whole plan and log](…) · [log of the apply](…)"; nothing where runs have no pages. */
export function runLine({ status, runId, plan }: ProjectView, links: Links): readonly string[] {
  const planned = plan === null ? null : links.run(plan.runId);
  const latest = runId === null || runId === plan?.runId ? null : links.run(runId);
  const apply = 'runId' in status && status.runId !== undefined ? links.run(status.runId) : null;
  const parts = [
    planned === null ? '' : link('Whole plan and log', planned),
    latest === null ? '' : link('Log', latest),
    apply === null ? '' : link('Log of the apply', apply),
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : [parts.join(' · ')];
}
