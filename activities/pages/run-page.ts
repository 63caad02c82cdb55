// What does the page of a run say?
import type { ApplyOutcome } from '../../workflows/model/apply.ts';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { plural } from '../render/wording.ts';
import { diffHtml } from './diff-html.ts';
import { anchor, code, escaped, name } from './html.ts';
import { logHtml } from './log-html.ts';
import type { Page } from './page.ts';
import { pageHtml } from './page.ts';
import { factsHtml, statusHtml } from './run-facts.ts';
import type { RunReport } from './run-report.ts';
import { verdictsHtml } from './verdict-html.ts';

/** Where it failed before anybody knew which. */
const everything = 'all projects';

/** `other`: see `factsHtml`. `events`: where the log goes on while the run does. */
type PageLinks = { readonly other: string | null; readonly events: string };

/** A whole document, in pieces: a plan of thousands of resources is never one text. */
export function runPage(report: RunReport, links: PageLinks): Page {
  const { run, isOver } = report;
  const kind = run.kind === 'plan' ? 'Plan' : 'Apply';
  const { repository, number } = run.ref;
  return pageHtml({
    title: `${kind} of ${run.project || everything} · ${repository.owner}/${repository.name}#${number}`,
    follows: !isOver,
    body: body(report, links),
  });
}

function* body(report: RunReport, { other, events }: PageLinks): Generator<string> {
  const { run } = report;
  yield headHtml(report, other);
  yield* sectionsOf(report);
  yield* logSection(report, events);
  yield `<footer>Run ${code(run.id)}</footer>`;
}

function headHtml(report: RunReport, other: string | null): string {
  const { run, pullRequest } = report;
  const { repository, number } = run.ref;
  const place = anchor(name(`${repository.owner}/${repository.name}`), repository.webUrl);
  const title = pullRequest === null ? '' : ` ${name(pullRequest.title)}`;
  const request = anchor(`#${number}${title}`, `${repository.webUrl}/pull/${number}`);
  return `<header>
<p class="place">${place} <span class="slash">/</span> ${request}</p>
<h1>${run.kind === 'plan' ? 'Plan of' : 'Apply of'} ${run.project === '' ? everything : name(run.project)}</h1>
${statusHtml(report)}
${factsHtml(report, other)}
</header>
`;
}

function* sectionsOf(report: RunReport): Generator<string> {
  const { outcome, plan, verdicts } = report;
  const problems = [...problemsOf(outcome), ...(plan?.plan.warnings ?? [])];
  if (problems.length > 0) {
    yield `<section><h2>Problems</h2>${problems.map(problemHtml).join('')}${moreProblems(outcome)}</section>\n`;
  }
  if (verdicts !== null && verdicts.length > 0) yield verdictsHtml(verdicts);
  if (plan !== null) yield* planSection(report, plan.plan.hasChanges);
}

const problemsOf = (outcome: ApplyOutcome | null): readonly Diagnostic[] =>
  outcome?.kind === 'failed' ? outcome.diagnostics : [];

function moreProblems(outcome: ApplyOutcome | null): string {
  const more = outcome?.kind === 'failed' ? outcome.diagnosticCount - outcome.diagnostics.length : 0;
  return more > 0 ? `<p>${plural(more, 'more problem')}, see the log.</p>` : '';
}

function problemHtml({ severity, summary, detail, path, startLine, address }: Diagnostic): string {
  const at = path === undefined ? address : startLine === undefined ? path : `${path}:${startLine}`;
  const place = at === undefined ? '' : ` ${code(at)}`;
  const text = detail.trim() === '' ? '' : `<pre>${escaped(detail.trim())}</pre>`;
  const word = severity === 'error' ? 'Error' : 'Warning';
  return `<div class="problem ${severity}"><p><b class="${word}">${word}</b>${place} ${escaped(summary)}</p>${text}</div>`;
}

function* planSection({ run, changes }: RunReport, hasChanges: boolean): Generator<string> {
  yield `<section id="changes"><h2>${run.kind === 'plan' ? 'Changes' : 'What was approved'}</h2>\n`;
  if (!hasChanges) yield '<p>No changes: what is there is what the code says.</p>';
  else if (changes === null) yield '<p>The diff of this plan is too old to be kept.</p>';
  else yield* diffHtml(changes);
  yield '</section>\n';
}

function* logSection({ log, isOver }: RunReport, events: string): Generator<string> {
  yield '<section id="log"><h2>Log</h2>\n';
  if (log.kind === 'none') {
    yield '<p>No log is kept of this run.</p></section>\n';
    return;
  }
  const after = log.kind === 'live' ? log.after : -1;
  // Behind the line break: HTML takes one away after <pre>.
  yield `<pre class="log"${isOver ? '' : ` data-events="${escaped(events)}" data-after="${after}"`}>\n`;
  yield* logHtml(log.text);
  yield `</pre>${isOver ? '' : '<p class="going"><span class="dot"></span> <span>Still running: what it prints appears here.</span></p>'}</section>\n`;
}
