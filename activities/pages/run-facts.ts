// What was this run, of what, from what, when and for whom?
import type { Engine } from '../../workflows/model/project.ts';
import { countsAhead } from '../render/counts.ts';
import { duration, moment, plural } from '../render/wording.ts';
import { anchor, code, escaped, name } from './html.ts';
import type { RunReport, RunStatus } from './run-report.ts';

type Tone = 'running' | 'good' | 'bad' | 'plain';

const tones: Record<RunStatus, Tone> = {
  planning: 'running',
  planned: 'good',
  'plan-failed': 'bad',
  applying: 'running',
  applied: 'good',
  'apply-failed': 'bad',
  refused: 'bad',
  unknown: 'bad',
  'without-result': 'plain',
};

export function statusHtml(report: RunReport): string {
  return `<p class="status ${tones[report.status]}"><span class="dot"></span> ${statusWords(report)}</p>`;
}

function statusWords({ status, plan, outcome }: RunReport): string {
  switch (status) {
    case 'planning':
      return 'Planning';
    case 'planned':
      return plan === null
        ? 'Planned'
        : `Planned: ${escaped(countsAhead(plan.plan.counts, plan.plan.outputChanges))}`;
    case 'plan-failed':
      return 'Could not be planned. The log says why.';
    case 'applying':
      return 'Applying';
    case 'applied':
      return 'Applied';
    case 'apply-failed':
      return outcome?.kind === 'failed' && outcome.done > 0
        ? `Half applied: ${outcome.done} of ${plural(outcome.total, 'change')} done`
        : 'Apply failed, nothing changed';
    case 'refused':
      return 'Refused before anything changed: what was planned no longer fits. The pull request says why.';
    case 'unknown':
      return `Outcome unknown${outcome?.kind === 'unknown' ? `: ${escaped(outcome.reason)}` : ''}`;
    case 'without-result':
      return 'Ended without a log: it never began, was cancelled, or something newer took over. The pull request says which, and why.';
    default:
      return status satisfies never;
  }
}

const engineNames: Record<Engine, string> = { terraform: 'Terraform', tofu: 'OpenTofu' };

/** `other`: the page of the plan that was applied, or of the apply of this plan. */
export function factsHtml(report: RunReport, other: string | null): string {
  const rows = [...projectFacts(report), ...sourceFacts(report), ...timeFacts(report, other)];
  return `<dl>${rows.map(([title, text]) => `<div><dt>${title}</dt><dd>${text}</dd></div>`).join('')}</dl>`;
}

type Fact = readonly [title: string, html: string];

function projectFacts({ plan }: RunReport): readonly Fact[] {
  if (plan === null) return [];
  const { project, engineVersion, destroy } = plan.plan;
  return [
    ['Directory', code(project.dir)],
    ...(project.workspace === 'default' ? [] : [['Workspace', code(project.workspace)] as const]),
    ['Engine', escaped(`${engineNames[project.engine]} ${engineVersion}`)],
    ...(destroy ? [['Kind', 'everything that the project has is destroyed'] as const] : []),
  ];
}

function sourceFacts({ plan, run }: RunReport): readonly Fact[] {
  if (plan === null) return [];
  const { webUrl } = run.ref.repository;
  const commit = (sha: string): string => anchor(code(sha.slice(0, 7)), `${webUrl}/commit/${sha}`);
  return [['Source', `${commit(plan.plan.head)} merged into ${commit(plan.plan.base)}`]];
}

function timeFacts({ run, pullRequest }: RunReport, other: string | null): readonly Fact[] {
  const { apply, plannedAt } = run;
  const opened: readonly Fact[] = pullRequest === null ? [] : [['Opened by', name(`@${pullRequest.author}`)]];
  if (run.kind === 'plan') {
    const applied = apply === null || other === null ? [] : [['Apply', anchor('its log', other)] as const];
    return [
      ...opened,
      [plannedAt === null ? 'Started' : 'Planned', at(plannedAt ?? run.startedAt)],
      ...applied,
    ];
  }
  if (apply === null) return [...opened, ['Started', at(run.startedAt)]];
  const { begunAt, finishedAt, trigger, actor, approvedBy } = apply;
  const took = finishedAt === null ? '' : `, took ${duration(Date.parse(finishedAt) - Date.parse(begunAt))}`;
  const yes = [...new Set(approvedBy)].map((login) => name(`@${login}`)).join(', ');
  return [
    ...opened,
    ['Started', `${at(begunAt)}${took}`],
    ['Asked for by', `${name(`@${actor}`)}, ${trigger === 'merge' ? 'merging' : `by ${trigger}`}`],
    ...(yes === '' ? [] : [['Approved by', yes] as const]),
    ...(other === null ? [] : [['Plan', anchor('its diff and log', other)] as const]),
  ];
}

const at = (iso: string): string => `<time datetime="${escaped(iso)}">${moment(iso)}</time>`;
