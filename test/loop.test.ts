// Does the main loop work from end to end: plan, approve, merge, apply, and apply by comment?
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

let world: World;

const body = (replicas: number): string => `resource "terraform_data" "web" {
  input = { replicas = ${replicas} }
}
resource "terraform_data" "database" {
  triggers_replace = "14.${replicas}"
}`;

beforeAll(async () => {
  world = await createWorld({ files: (project) => ({ 'prod/main.tf': project('prod', body(1)) }) });
});
afterAll(() => world.close());

test('a pull request is planned, approved, merged and applied', async () => {
  const { repository, project } = world;
  const first = await repository.openPullRequest({
    title: 'Create everything',
    author: 'mona',
    head: 'create',
    files: { 'prod/main.tf': `${project('prod', body(1))}\n# first\n` },
  });
  await first.waitForCheck('hatchet/apply', { status: 'completed' });
  const comment = await first.waitForComment(() => true);
  console.log(comment.body);
  console.log(first.checks().map((run) => `${run.name} ${run.status} ${run.conclusion} ${run.title}`));
  const apply = first.comment('hubot', '/hatchet apply');
  await first.waitForReaction(apply, 'eyes');
  await first.waitForCheck('hatchet/apply', {
    conclusion: 'success',
    matching: (run) => run.title === 'Applied',
  });
  console.log(first.comments().map((one) => one.body));
});
