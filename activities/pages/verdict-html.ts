// What did the policies say, on a page?
import type { Finding, Verdict, VerdictWord } from '../../workflows/model/verdict.ts';
import { summarizeVerdict } from '../../workflows/model/verdict.ts';
import { plural } from '../render/wording.ts';
import { code, escaped } from './html.ts';

const words: Record<VerdictWord, string> = {
  error: 'could not be evaluated, which counts as a no',
  deny: 'denies this',
  overridden: 'denied this, and was overridden',
  'needs approval': 'needs approval',
  warn: 'warns',
  pass: 'passes',
};

export function verdictsHtml(verdicts: readonly Verdict[]): string {
  return `<section><h2>Policies</h2><ul class="verdicts">${verdicts.map(verdictHtml).join('')}</ul></section>\n`;
}

function verdictHtml(verdict: Verdict): string {
  const { policy, level, denials, warnings, approvals, error } = verdict;
  const word = summarizeVerdict(verdict);
  const said = word === 'deny' && level === 'advisory' ? 'advises against this' : words[word];
  const sentences = [
    ...(error === null ? [] : [escaped(error)]),
    ...denials.map(findingHtml),
    ...approvals.map(({ count, message }) => `${plural(count, 'approval')}: ${escaped(message)}`),
    ...warnings.map(findingHtml),
  ];
  const list =
    sentences.length === 0 ? '' : `<ul>${sentences.map((sentence) => `<li>${sentence}</li>`).join('')}</ul>`;
  return `<li class="${word.replace(' ', '-')}">${code(policy)} ${said}${list}</li>`;
}

function findingHtml({ message, address }: Finding): string {
  return `${escaped(message)}${address === undefined ? '' : ` (${code(address)})`}`;
}
