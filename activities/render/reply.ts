// What does a reply to a command or a click say?
import { markdownTable } from 'markdown-table';
import type { Settling } from '../../workflows/model/authorize.ts';
import type { Verb } from '../../workflows/model/command.ts';
import { verbs } from '../../workflows/model/command.ts';
import type { Reply, StatusLine } from '../../workflows/port/answer.ts';
import { cutText, inlineCode, inlineText, person, tableCell } from './markdown.ts';
import { isMistyped, refusalSentence } from './refusal.ts';
import { statusWords } from './status.ts';
import { maxNameLength, plural } from './wording.ts';

const maxVerbLength = 40;
/** A reply is read, not searched: the comment's table has the rest. */
const maxStatusLines = 100;
/** A project in which nothing happens and nothing is asked is no answer to "what is going on". */
const quiet: readonly StatusLine['status']['kind'][] = ['no-changes', 'applied'];
/** Up to this many lines are read at a glance, quiet ones too. */
const maxGlance = 20;

const commands: Record<Verb, { readonly arguments: string; readonly does: string }> = {
  plan: { arguments: ' [project…] [--destroy]', does: 'plan again, or plan the end of projects' },
  apply: { arguments: ' [project…]', does: 'apply what is planned and approved' },
  approve: { arguments: ' [project…]', does: 'say yes to the plans shown' },
  reject: { arguments: ' [project…]', does: 'take a yes back, or refuse' },
  override: {
    arguments: ' project… --reason "…"',
    does: 'lift the denial of a policy, where hatchet.yaml names you',
  },
  cancel: { arguments: '', does: 'stop plans and what waits; a running apply if said twice' },
  unlock: { arguments: ' [project…]', does: "give up this pull request's locks" },
  status: { arguments: '', does: 'what is running, waiting and locked' },
  help: { arguments: '', does: 'this list' },
};

const doneTexts: Record<Extract<Reply, { kind: 'done' }>['text'], string> = {
  'nothing to apply': 'there is nothing to apply.',
  'locks given up': 'the locks of this pull request are given up.',
  'locks and a state given up':
    'the locks of this pull request are given up. Unless another pull request owns the project, a state that Terraform could not write and that nobody has put back is given up, too: what is planned next knows nothing of it. Whoever runs Hatchet can still get it with `npm run state`, once its runner has handed it over.',
  'nothing to cancel': 'there is nothing to cancel.',
  'stop needs a second word':
    'stopping an apply leaves its project half-changed. Comment `/hatchet cancel` again within 10 minutes to stop it.',
  'applies are being stopped':
    'the running apply is asked to stop. What it has done by then stays done; the result appears in the comment.',
  'state lock is being broken':
    "Terraform's lock is being broken; what is there is looked at again after that.",
};

/** What only buttons ask for is called as they are labelled. */
const settlings: Readonly<Record<Settling, string>> = {
  accept: 'Accept as it is',
  'apply-rest': 'Apply the rest',
  'force-unlock': 'Force-unlock state',
};

const isSettling = (verb: string): verb is Settling => Object.hasOwn(settlings, verb);

/** What is going on where there is no project to speak of. */
const withoutProjects: Record<Extract<Reply, { kind: 'status' }>['findings'], string> = {
  inspecting: 'Looking for the projects that this pull request affects.',
  cancelled: 'The planning was cancelled; `/hatchet plan` begins it again.',
  conflict: 'Nothing is planned: there is a merge conflict with the base branch.',
  'config-broken': 'Nothing is planned: `hatchet.yaml` is broken; its problems stand in the comment.',
  draft: 'Nothing is planned: it is a draft. `/hatchet plan` plans it all the same.',
  fork: 'Nothing is planned: somebody with write has to allow this commit.',
  'operator-error': 'Nothing is planned: Hatchet is in trouble, and its operator finds the cause in the log.',
  projects: 'No Terraform project is affected.',
};

/** Markdown; it names the person it is for, unless everyone may care. */
export function renderReply(reply: Reply): string {
  switch (reply.kind) {
    case 'help':
      return helpText();
    case 'status':
      return reply.lines.length === 0 ? withoutProjects[reply.findings] : statusText(reply);
    case 'refused': {
      const sentence = refusalSentence(reply.refusal);
      if (isMistyped(reply.refusal)) return `${person(reply.to)} ${sentence}`;
      const command = isSettling(reply.verb)
        ? `**${settlings[reply.verb]}**`
        : inlineCode(`/hatchet ${cutText(reply.verb, maxVerbLength)}`);
      return `${person(reply.to)} ${command} was refused: ${sentence}`;
    }
    case 'done':
      return `${person(reply.to)} ${doneTexts[reply.text]}`;
    case 'too-late':
      return `${person(reply.to)} your review comes too late: ${refusalSentence({ kind: 'begun', project: reply.project })}`;
    default:
      return reply satisfies never;
  }
}

const isQuiet = ({ status, owned }: StatusLine): boolean => owned !== true && quiet.includes(status.kind);

const more = (count: number, what: string): readonly string[] =>
  count === 0 ? [] : [`${plural(count, 'project')} ${what}`];

function helpText(): string {
  const rows = verbs.map((verb) => [
    inlineCode(`/hatchet ${verb}${commands[verb].arguments}`),
    commands[verb].does,
  ]);
  return [
    markdownTable([['Comment', 'To'], ...rows], { align: ['l', 'l'] }),
    'Without a project it means all of them; `*` matches within a path segment, `**` across them. The first line of a new comment counts.',
  ].join('\n\n');
}

function statusText({ lines, at: now }: Extract<Reply, { kind: 'status' }>): string {
  const busy = lines.length > maxGlance ? lines.filter((line) => !isQuiet(line)) : lines;
  const context = { merged: false, links: null, bare: false, alone: true, now };
  const rows = busy
    .slice(0, maxStatusLines)
    .map(({ project, status, owned }) => [
      tableCell(inlineText(cutText(project, maxNameLength))),
      tableCell(`${statusWords(status, context)}${owned === true ? '; locked by this pull request' : ''}`),
    ]);
  const table =
    rows.length === 0 ? [] : [markdownTable([['Project', 'Status'], ...rows], { align: ['l', 'l'] })];
  const counted = [
    ...more(busy.length - rows.length, 'more'),
    ...more(lines.length - busy.length, 'with nothing to do'),
  ];
  const rest = counted.length === 0 ? [] : [`${counted.join(', ')}; see the comment above.`];
  return [...table, ...rest].join('\n\n');
}
