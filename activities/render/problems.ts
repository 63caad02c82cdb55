// What went wrong, and where? The lines between the table and the diffs.
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { ProjectStatus, ProjectView, View } from '../../workflows/model/view.ts';
import { diagnosticText } from './diagnostics.ts';
import { findingParagraphs } from './finding.ts';
import { cutText, inlineText } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
import { unwrittenParagraph } from './unwritten-state.ts';
import { blockingSentences } from './verdicts.ts';
import { named, plural } from './wording.ts';

/** Problems told per project: the first ones are the cause, the check and the log have the others. */
const maxPerProject = 5;
const maxReason = 500;

/** Paragraphs, at most `maxBytes` together; what does not fit is counted. */
export function problemParagraphs(view: View, maxBytes: number): readonly string[] {
  const { headline } = view;
  const general = headline.kind === 'config-broken' ? headline.diagnostics.map(diagnosticText) : [];
  const all = [...general, ...view.projects.flatMap(projectProblems)];
  return fitParagraphs(all, maxBytes, (count) => `${plural(count, 'more problem')}, see the checks.`);
}

/** What stops one project: errors of its plan or apply, and policies that said no. */
export function projectProblems(project: ProjectView): readonly string[] {
  const { status, name, verdicts } = project;
  if (status.kind === 'denied')
    return blockingSentences(verdicts).map((sentence) => `${named(name)}: ${sentence}`);
  if (status.kind === 'unknown') {
    const reason = `${named(name)}: ${inlineText(cutText(status.reason, maxReason))}`;
    return [reason, ...findingParagraphs(name, status.finding)];
  }
  if (status.kind === 'state-unwritten') return [unwrittenParagraph(name, status.state)];
  if (status.kind === 'after') return unplannedProblems(name, status);
  if (status.kind !== 'failed' && status.kind !== 'apply-failed') return [];
  const kept = status.kind === 'apply-failed' ? keptState(name, status) : [];
  return [...kept, ...listed(name, status, (diagnostic) => placed(diagnostic, name))];
}

type Said = { readonly diagnostics: readonly Diagnostic[]; readonly diagnosticCount: number };

/** Its dependency may not be the cause after all: whoever reads it knows better than anybody. */
export function unplannedProblems(
  name: string,
  { diagnostics = [], diagnosticCount = 0 }: Partial<Said>,
): readonly string[] {
  return listed(
    name,
    { diagnostics, diagnosticCount },
    (diagnostic) => `${named(name)} could not be planned yet: ${diagnosticText(diagnostic)}`,
  );
}

function listed(
  name: string,
  { diagnostics, diagnosticCount }: Said,
  tell: (diagnostic: Diagnostic) => string,
): readonly string[] {
  const shown = diagnostics.slice(0, maxPerProject);
  const more = Math.max(diagnosticCount, diagnostics.length) - shown.length;
  return [
    ...shown.map((diagnostic) => tell(diagnostic)),
    ...(more > 0 ? [`${plural(more, 'more problem')} of ${named(name)}.`] : []),
  ];
}

/** An apply of this very pull request could not write it, and nobody has looked since what became of it. */
function keptState(
  name: string,
  status: Extract<ProjectStatus, { kind: 'apply-failed' }>,
): readonly string[] {
  const { stateKept: kept = false, stateOnRunner = false, runId } = status;
  if (runId === undefined || !(kept || stateOnRunner)) return [];
  return [unwrittenParagraph(name, { runId, number: null, kept })];
}

/** A problem that names neither file nor resource gets the project's name, or it could be anyone's. */
function placed(diagnostic: Diagnostic, project: string): string {
  const text = diagnosticText(diagnostic);
  return diagnostic.path === undefined && diagnostic.address === undefined
    ? `${named(project)}: ${text}`
    : text;
}
