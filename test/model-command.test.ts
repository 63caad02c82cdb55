// What does each comment ask for?
import { describe, expect, test } from 'vitest';
import { nearest, parseCommand } from '../workflows/model/command.ts';
import { createGlob } from '../workflows/model/glob.ts';

const known = (verb: string, projects: readonly string[] = [], destroy = false) => ({
  kind: 'known',
  verb,
  projects,
  destroy,
  reason: null,
});

describe('the first non-blank line is a command', () => {
  test.each([
    ['/hatchet apply', known('apply')],
    ['\n\n  /hatchet apply  \nthanks', known('apply')],
    ['/HATCHET Apply', known('apply')],
    ['/hatchet', known('help')],
    ['/hatchet plan prod staging', known('plan', ['prod', 'staging'])],
    ['/hatchet plan envs/* --destroy', known('plan', ['envs/*'], true)],
    ['/hatchet approve\r\n/hatchet apply', known('approve')],
    [
      '/hatchet override prod --reason "gone already"',
      { ...known('override', ['prod']), reason: 'gone already' },
    ],
    [
      "/hatchet override prod dns --reason=it's --fine",
      { ...known('override', ['prod', 'dns']), reason: "it's --fine" },
    ],
    [
      '/hatchet override prod',
      { kind: 'bad-arguments', verb: 'override', problem: '`override` needs a reason: `--reason "…"`' },
    ],
    [
      '/hatchet override prod --reason " "',
      { kind: 'bad-arguments', verb: 'override', problem: '`--reason` is empty' },
    ],
    [
      '/hatchet override --reason all',
      { kind: 'bad-arguments', verb: 'override', problem: '`override` takes the names of projects' },
    ],
    ['/hatchet aply', { kind: 'unknown-verb', word: 'aply', nearest: 'apply' }],
    ['/hatchet frobnicate', { kind: 'unknown-verb', word: 'frobnicate', nearest: null }],
    [
      '/hatchet apply --force',
      { kind: 'bad-arguments', verb: 'apply', problem: '`--force` is no flag of `apply`' },
    ],
    [
      '/hatchet status prod',
      { kind: 'bad-arguments', verb: 'status', problem: '`status` takes no projects' },
    ],
    [
      '/hatchet plan $(reboot)',
      { kind: 'bad-arguments', verb: 'plan', problem: '`$(reboot)` cannot be the name of a project' },
    ],
    [
      '/hatchet plan -chdir=/',
      { kind: 'bad-arguments', verb: 'plan', problem: '`-chdir=/` is no flag of `plan`' },
    ],
  ])('%j', (comment, command) => expect(parseCommand(comment)).toEqual(command));
});

describe('nothing is asked', () => {
  test.each([
    '',
    'looks good',
    'please /hatchet apply',
    '> /hatchet apply',
    '```\n/hatchet apply\n```',
    '    /hatchet apply',
    '\t/hatchet apply',
    ' \t/hatchet apply',
    '/hatchets apply',
    '`/hatchet apply`',
    'hatchet apply',
  ])('%j', (comment) => expect(parseCommand(comment)).toBeNull());
});

test.each([
  ['stagng', 'staging'],
  ['pord', 'prod'],
  ['network', null],
])('nearest to %s is %s', (word, expected) =>
  expect(nearest(word, ['prod', 'staging', 'dns'])).toBe(expected),
);

describe('globs', () => {
  test.each([
    ['prod', 'prod', true],
    ['prod', 'production', false],
    ['envs/*', 'envs/prod', true],
    ['envs/*', 'envs/eu/prod', false],
    ['envs/**', 'envs/eu/prod', true],
    ['*', 'prod', true],
    ['a.b', 'axb', false],
    ['prod+1', 'prod+1', true],
  ])('%s names %s: %s', (glob, name, matches) => expect(createGlob(glob)(name)).toBe(matches));
});
