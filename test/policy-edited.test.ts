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
  expect(findEditedPolicies(common, [file, 'main.tf'])).toEqual(expected ? [file] : []);
  expect(findEditedPolicies(own, [file, 'main.tf'])).toEqual(expected ? [file] : []);
});

test('the comment says so', () => {
  const comment = (...files: readonly string[]) =>
    renderComment({ ...waitingView, editedPolicies: files }, changes, noLinks);
  expect(comment('policies/a.rego')).toContain(
    '\n\nThe policy `policies/a.rego` is changed here: inactive until merged.\n\n',
  );
  expect(comment('policies/a.rego', 'policies/b.rego')).toContain(
    'The policies `policies/a.rego` and `policies/b.rego` are',
  );
  expect(comment()).not.toContain('inactive');
});
