// Can anything that people type, or call their things, become more than a word? (S9)
import { spawnSync } from 'node:child_process';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { Marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { operatorErrorType } from '../activities/faults.ts';
import { branchRefspec } from '../activities/source/ref-names.ts';
import { isWorkspaceName, terraformArguments } from '../activities/terraform/argv.ts';
import type { Command } from '../workflows/model/command.ts';
import { nearest, parseCommand, verbs } from '../workflows/model/command.ts';
import { createGlob } from '../workflows/model/glob.ts';
import { fuzz } from './fuzz.ts';

/** What a command is made of, what quotes and code are made of, and what shells, Terraform and git would act on. */
const pieces = [
  ...verbs,
  '/hatchet',
  '/HATCHET',
  '/hatchet ',
  '\n/hatchet apply',
  '--destroy',
  '-destroy',
  '-chdir=/',
  '--',
  '-',
  '—',
  ' ',
  '  ',
  '    ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\u2028',
  '\u00a0',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\u0000',
  '\u001b[31m',
  '`',
  '```',
  '~~~',
  '> ',
  '<!--',
  '-->',
  '<pre>',
  '"',
  "'",
  '$(id)',
  ';id',
  '&&',
  '|',
  '\\',
  '../',
  '*',
  '**',
  '?',
  '[a-z]',
  '{a,b}',
  'prod',
  'envs/prod',
  'é',
  '漢',
  '🚀',
  '\ud800',
  'a'.repeat(300),
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(''));

/** Why a command is not one that may go on; null: it may. */
function problemOf(command: Command | null): string | null {
  if (command === null) return null;
  if (command.kind === 'unknown-verb') return command.word.length > 200 ? 'a long word' : null;
  if (!verbs.includes(command.verb)) return `no verb: ${command.verb}`;
  if (command.kind === 'bad-arguments') return null;
  if (command.projects.length > 50) return 'too many words';
  const bad = command.projects.find(
    (word) => word.length > 200 || /^-|[\s`"'$;&|<>\\()!#?]|\p{C}/u.test(word),
  );
  return bad === undefined ? null : `a word that is no name: ${JSON.stringify(bad)}`;
}

/** Whatever stands in these is shown to people, not said by them. */
const wrappings: readonly ((comment: string) => string)[] = [
  (comment) => `> ${comment}`,
  (comment) => `\n\n>${comment}`,
  (comment) => `\`\`\`\n${comment}\n\`\`\``,
  (comment) => `~~~ sh\n${comment}`,
  (comment) => `    ${comment}`.replaceAll(/[\r\n]/g, '$&    '),
  (comment) => ` \t${comment}`.replaceAll(/[\r\n]/g, '$& \t'),
  (comment) => `\`${comment}\``,
  (comment) => `<!-- ${comment} -->`,
  (comment) => `<pre>\n${comment}`,
  (comment) => `- ${comment}`,
  (comment) => `please ${comment}`,
];

test('100,000 comments: only known verbs and harmless words come out, and nothing of quotes and code (S9)', () => {
  let commands = 0;
  const check = (comment: string, wrap: (comment: string) => string): void => {
    const command = parseCommand(`/hatchet ${comment}`);
    const problem = problemOf(parseCommand(comment)) ?? problemOf(command);
    if (problem !== null) throw new Error(problem);
    if (command?.kind === 'known') commands += 1;
    const wrapped = wrap(comment);
    if (parseCommand(wrapped) !== null) throw new Error(`a command in ${JSON.stringify(wrapped)}`);
  };
  fc.assert(fc.property(text, fc.constantFrom(...wrappings), check), fuzz(100_000));
  expect(commands).toBeGreaterThan(1_000);
});

test('what a reader of Markdown takes for a quote, code, HTML or a list is no command (S9)', () => {
  const marked = new Marked({ gfm: true });
  const isCommand = (comment: string): void => {
    const [first] = marked.lexer(comment.replace(/^\s*[\r\n]/, '')).filter(({ type }) => type !== 'space');
    if (['blockquote', 'code', 'html', 'list', 'table'].includes(first?.type ?? ''))
      expect(parseCommand(comment)).toBeNull();
  };
  fc.assert(fc.property(text, isCommand), fuzz(4_000));
});

describe('globs (S9)', () => {
  const part = fc.constantFrom('a', 'b', '/', '*', '**', '.', 'aa');
  const short = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
  const name = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 7 }).map((parts) => parts.join(''));

  test('mean what the same regular expression means', () => {
    const pattern = (glob: string): RegExp => {
      const parts = glob.split(/(\*+)/).map((each) => {
        if (each.startsWith('*')) return each === '*' ? '[^/]*' : '.*';
        return each.replaceAll('.', '\\.');
      });
      return new RegExp(`^${parts.join('')}$`, 's');
    };
    fc.assert(
      fc.property(short, name, (glob, text) => createGlob(glob)(text) === pattern(glob).test(text)),
      fuzz(10_000),
    );
  });

  test('that would keep a regular expression busy for ever are answered', () => {
    const names = Array.from({ length: 300 }, (_, index) => `${'a'.repeat(150)}${index}`);
    for (const star of ['*', '**', 'a*', '*a', 'a**', '*a*']) {
      const glob = `${star.repeat(Math.floor(199 / star.length))}b`;
      expect(names.some(createGlob(glob))).toBe(false);
    }
    expect(nearest('b'.repeat(200), names)).toBeNull();
  });
});

/** Names as people give them to branches, directories, files and workspaces. */
const named = fc.oneof(text, fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 12 }));

const [lockFile, planFile, destroy] = ['update', '/run/plan.tfplan', false] as const;
type Argv = readonly string[];
const initWith = (varFiles: Argv): Argv => terraformArguments({ kind: 'init', lockFile, varFiles });
const planWith = (varFiles: Argv): Argv =>
  terraformArguments({ kind: 'plan', planFile, varFiles, destroy, underLock: false });
const isVarFile = (word: string): boolean => word.startsWith('-var-file=');
const without = (argv: Argv): string => argv.filter((word) => !isVarFile(word)).join('\n');
const [bareInit, barePlan] = [without(initWith([])), without(planWith([]))];

/** Why a name is more than a name where Terraform and git are told of it; null: it is none. */
function problemOfName(name: string): string | null {
  const plan = planWith([name, name]);
  if (without(plan) !== barePlan || without(initWith([name])) !== bareInit) return 'an option of Terraform';
  if (plan.filter(isVarFile).some((word) => word !== `-var-file=${name}`)) return 'another file of values';
  if (isWorkspaceName(name) && !/^[^-\s/\\\p{C}][^\s/\\\p{C}]*$/u.test(name)) return 'an odd workspace';
  const refspec = refspecOf(name);
  if (refspec === null) return null;
  const isPlain = [...refspec].every((sign) => sign > ' ' && sign !== '\u007f');
  const isOne = /^\+refs\/heads\/[^ :?*[\\~^]+:refs\/hatchet\/branches\/[0-9a-f]{64}$/u.test(refspec);
  return isPlain && isOne ? null : `not one branch: ${refspec}`;
}

test('100,000 names: none becomes an option of Terraform, or more to git than one branch (S9)', () => {
  const branches: string[] = [];
  const check = (name: string): void => {
    const problem = problemOfName(name);
    if (problem !== null) throw new Error(problem);
    if (branches.length < askedOfGit && refspecOf(name) !== null) branches.push(name);
  };
  fc.assert(fc.property(named, check), fuzz(100_000));
  expect(branches).toHaveLength(askedOfGit);
  for (const branch of branches) {
    const { status } = spawnSync('git', ['check-ref-format', `refs/heads/${branch}`]);
    expect([branch, status]).toEqual([branch, 0]);
  }
});

/** Each is a process. */
const askedOfGit = 40;

/** Null when it is refused in the way that operators are told of. */
function refspecOf(branch: string): string | null {
  try {
    return branchRefspec(branch);
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === operatorErrorType) return null;
    throw error;
  }
}
