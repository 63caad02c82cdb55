// Does a pull request that edits the repository's own policies say that they are inactive until merged?
import { expect, test } from 'vitest';
import { renderComment } from '../activities/render/comment.ts';
import { configurationOf } from '../workflows/model/configuration.ts';
import { configurationSchema } from '../workflows/model/configuration-schema.ts';
import { findEditedPolicies } from '../workflows/model/edited-policies.ts';
import { changes, noLinks, waitingView } from './render-example.ts';

test.each<readonly [string, string, boolean]>([
  ['./policies/', 'policies/deep/naming.rego', true],
  ['policies', 'policies/naming_test.rego', false],
  ['policies', 'policies/README.md', false],
  ['policies', 'policies2/naming.rego', false],
  ['policies/naming.rego', 'policies/naming.rego', true],
  ['.', 'anywhere/naming.rego', true],
])('policies in %s: %s is one of them: %s', (path, file, expected) => {
  const policies = [{ path, level: 'advisory' as const }];
  const common = configurationOf(configurationSchema.parse({ version: 1, policies }));
  const own = configurationOf(
    configurationSchema.parse({ version: 1, projects: [{ dir: 'envs/prod', policies }] }),
  );
  expect(findEditedPolicies(common, [file, 'main.tf']).files).toEqual(expected ? [file] : []);
  const found = findEditedPolicies(own, [file, 'main.tf']);
  expect(found.files).toEqual(expected ? [file] : []);
  expect(found.paths).toHaveLength(expected ? 1 : 0);
});

test('the comment says so', () => {
  const comment = (...files: readonly string[]) =>
    renderComment({ ...waitingView, editedPolicies: { files, problems: [] } }, changes, noLinks);
  expect(comment('policies/a.rego')).toContain(
    '\n\nThe policy `policies/a.rego` is changed here: inactive until merged.\n\n',
  );
  expect(comment('policies/a.rego', 'policies/b.rego')).toContain(
    'The policies `policies/a.rego` and `policies/b.rego` are',
  );
  expect(comment()).not.toContain('inactive');
  const problem = {
    severity: 'error',
    summary: 'var x is unsafe',
    detail: '',
    path: 'policies/a.rego',
    startLine: 3,
  } as const;
  const broken = { files: ['policies/a.rego'], problems: [problem, problem] };
  expect(renderComment({ ...waitingView, editedPolicies: broken }, changes, noLinks)).toContain(
    '\n\nMerged as it is here, it could not judge. `policies/a.rego:3` **var x is unsafe** (and 1 more)\n\n',
  );
});
