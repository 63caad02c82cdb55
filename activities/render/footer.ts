// From what was this planned, when, and by which version?
import type { Engine } from '../../workflows/model/project.ts';
import type { View } from '../../workflows/model/view.ts';
import type { Links } from './links.ts';
import { cutText, inlineText, link } from './markdown.ts';
import { moment, named, shortSha } from './wording.ts';

/** The checks that every pull request has. */
const aggregateChecks = ['hatchet/plan', 'hatchet/policy', 'hatchet/apply'];
const engineNames: Record<Engine, string> = { terraform: 'Terraform', tofu: 'OpenTofu' };
/** A repository in the middle of an upgrade has two or three; more are counted. */
const maxVersions = 4;
const maxVersion = 40;

export function footer(view: View, links: Links): string {
  const parts = [source(view, links), versions(view), ...checkLinks(links)].filter((part) => part !== '');
  return `<sub>${parts.join(' · ')}</sub>`;
}

function source(view: View, links: Links): string {
  const commit = (sha: string): string => link(shortSha(sha), links.commit(sha));
  if (view.plannedAt === null) return `Head ${commit(view.head)}`;
  const base = view.baseSha === null ? '' : ` merged into ${named(view.base)} at ${commit(view.baseSha)}`;
  return `Planned ${commit(view.head)}${base}, ${moment(view.plannedAt)}`;
}

/** "Terraform 1.11.4, OpenTofu 1.12.6". */
function versions({ projects }: View): string {
  const all = projects.flatMap(({ plan }) =>
    plan === null
      ? []
      : [`${engineNames[plan.project.engine]} ${inlineText(cutText(plan.engineVersion, maxVersion))}`],
  );
  const different = [...new Set(all)];
  const more = different.length - maxVersions;
  return [...different.slice(0, maxVersions), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function checkLinks(links: Links): readonly string[] {
  return aggregateChecks.flatMap((name) => {
    const address = links.check(name);
    return address === null ? [] : [link(name, address)];
  });
}
