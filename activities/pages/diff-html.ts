// How does the whole diff of a plan read on a page?
import type { ChangeAction, PlanChanges, ResourceChange } from '../../workflows/model/change.ts';
import { changeOrder } from '../render/plan-diff.ts';
import { bodyLines, headerLine, outputLines } from '../render/resource-diff.ts';
import { wholeRoom } from '../render/value-diff.ts';
import { code, escaped } from './html.ts';

const headings: Record<ChangeAction, string> = {
  delete: 'Destroy',
  replace: 'Replace',
  forget: 'Forget',
  update: 'Change',
  create: 'Add',
  move: 'Move',
  import: 'Import',
  read: 'Read',
};

/** Fewer are laid out at once, so that printing and searching need no thought. */
const manyResources = 200;

/** HTML in pieces, in the order of the comment: what cannot be taken back first. Nothing is cut or counted. */
export function* diffHtml({ resources, outputs }: PlanChanges): Generator<string> {
  for (const action of changeOrder) {
    const alike = resources.filter((resource) => resource.action === action);
    if (alike.length === 0) continue;
    const many = alike.length > manyResources ? ' many' : '';
    yield `<section class="changes ${action}${many}"><h3>${headings[action]} <span class="count">${alike.length}</span></h3>\n`;
    for (const resource of alike) yield resourceHtml(resource);
    yield '</section>\n';
  }
  if (outputs.length === 0) return;
  yield `<section class="changes update"><h3>Outputs <span class="count">${outputs.length}</span></h3>\n`;
  yield `<div class="resource">${bodyHtml(outputLines(outputs, wholeRoom))}</div></section>\n`;
}

function resourceHtml(resource: ResourceChange): string {
  const [symbol = ''] = headerLine(resource).split(' ', 1);
  const note = headerLine(resource)
    .slice(symbol.length + 1 + resource.address.length)
    .trim();
  const title = `<b class="symbol">${escaped(symbol)}</b> ${code(resource.address)}`;
  const head = note === '' ? title : `${title} <span class="note">${escaped(note)}</span>`;
  const lines = bodyLines(resource, wholeRoom);
  if (lines.length === 0) return `<div class="resource"><p class="head">${head}</p></div>\n`;
  return `<details class="resource" open><summary class="head">${head}</summary>${bodyHtml(lines)}</details>\n`;
}

const lineClasses: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '!': 'chg' };

function bodyHtml(lines: readonly string[]): string {
  return `<pre>${lines.map(lineHtml).join('')}</pre>`;
}

/** In a comment `!` is what GitHub colours; Terraform's own sign for a change in place is `~`. */
function lineHtml(line: string): string {
  const mark = line.slice(0, 1);
  const kind = lineClasses[mark] ?? 'same';
  const text = `${mark === '!' ? '~' : mark || ' '}${line.slice(1)}`.replace(/[\r\n]+/g, ' ');
  return `<span class="${kind}">${escaped(text)}\n</span>`;
}
