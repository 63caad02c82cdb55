// Which versions does a constraint allow, and is that what Terraform says?
import { expect, test } from 'vitest';
import { allows, parseConstraint } from '../app/tools/constraint.ts';

test.for<[string, readonly string[], readonly string[]]>([
  ['1.9.2', ['1.9.2'], ['1.9.3', '1.9.1', '1.9.2-rc1']],
  ['v1.9.2', ['1.9.2'], ['1.9.3']],
  ['= 1.9', ['1.9.0'], ['1.9.1']],
  ['=1.9.2', ['1.9.2'], ['1.9.3']],
  ['!= 1.9.2', ['1.9.1', '2.0.0'], ['1.9.2']],
  ['> 1.9', ['1.9.1', '2.0.0'], ['1.9.0', '1.8.9']],
  ['>= 1.9', ['1.9.0', '3.0.0'], ['1.8.9', '1.9.0-beta1', '1.10.0-beta1']],
  ['< 1.9', ['1.8.9'], ['1.9.0', '1.9.0-beta1']],
  ['<= 1.9.1', ['1.9.1', '0.15.0'], ['1.9.2']],
  ['~> 1.9', ['1.9.0', '1.12.6', '1.99.0'], ['1.8.9', '2.0.0', '1.12.0-rc1']],
  ['~> 1.9.2', ['1.9.2', '1.9.99'], ['1.9.1', '1.10.0', '2.0.0']],
  ['~> 1', ['1.0.0', '1.9.0', '2.0.0'], ['0.15.5']],
  ['>= 1.5, < 2.0, != 1.7.1', ['1.5.0', '1.7.0'], ['1.7.1', '2.0.0', '1.4.9']],
  ['>=1.5,<1.6', ['1.5.7'], ['1.6.0']],
  ['1.12.0-beta1', ['1.12.0-beta1'], ['1.12.0', '1.12.0-beta2']],
  ['~> 1.12.0-beta1', ['1.12.0', '1.12.3'], ['1.12.0-beta1', '1.13.0']],
])('%s', ([text, allowed, refused]) => {
  const constraint = parseConstraint(text) ?? expect.fail(`${text} is no constraint`);
  expect([...allowed, ...refused].filter((version) => allows(constraint, version))).toEqual(allowed);
});

test.for(['', 'latest', '1.x', '^1.9', '1.9 || 1.10', '>= 1.5 < 2', '1.2.3.4', '~>', '-1', '1.9.2; rm'])(
  '%j is no constraint',
  (text) => {
    expect(parseConstraint(text)).toBeNull();
  },
);

test('the one version that is named', () => {
  const exact = (text: string) => parseConstraint(text)?.exact;
  expect([
    exact('1.9.2'),
    exact('= 1.9'),
    exact('>= 1.5, 1.9.2'),
    exact('~> 1.9.2'),
    exact('!= 1.9.2'),
  ]).toEqual(['1.9.2', '1.9.0', '1.9.2', null, null]);
});
