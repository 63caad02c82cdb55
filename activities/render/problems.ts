// What went wrong, and where? The lines between the table and the diffs.
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { diagnosticText } from './diagnostics.ts';
import { findingParagraphs } from './finding.ts';
import { cutText, inlineCode, inlineText } from './markdown.ts';
import { fitParagraphs } from './paragraphs.ts';
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
  if (status.kind !== 'failed' && status.kind !== 'apply-failed') return [];
  const shown = status.diagnostics.slice(0, maxPerProject);
  const more = Math.max(status.diagnosticCount, status.diagnostics.length) - shown.length;
  const kept =
    status.kind === 'apply-failed' && status.stateKept === true ? keptState(name, status.runId) : [];
  return [
    ...kept,
    ...shown.map((diagnostic) => placed(diagnostic, name)),
    ...(more > 0 ? [`${plural(more, 'more problem')} of ${named(name)}.`] : []),
  ];
}

/** Planning again from the old state would make everything a second time. */
function keptState(name: string, runId: RunId | undefined): readonly string[] {
  const command = `npm run state -- --run ${runId ?? '<run>'} --out errored.tfstate`;
  return [
    `Terraform could not write the state of ${named(name)}. **Hatchet keeps it, encrypted.** Before anything else is planned or applied here, whoever runs Hatchet fetches it with ${inlineCode(command)}, and it is put back with ${inlineCode('terraform state push errored.tfstate')} in the project's directory.`,
  ];
}

/** A problem that names neither file nor resource gets the project's name, or it could be anyone's. */
function placed(diagnostic: Diagnostic, project: string): string {
  const text = diagnosticText(diagnostic);
  return diagnostic.path === undefined && diagnostic.address === undefined
    ? `${named(project)}: ${text}`
    : text;
}
