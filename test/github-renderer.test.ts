// Is of a picture only made anew what changed, and is what is kept bounded?
import { expect, test } from 'vitest';
import { createKept } from '../activities/github/kept.ts';
import { createRenderer } from '../activities/github/renderer.ts';
import { renderComment } from '../activities/render/comment.ts';
import type { Check } from '../workflows/model/check.ts';
import type { PlanId } from '../workflows/model/identifiers.ts';
import { changes, links, waitingView } from './render-example.ts';

const checkOf = (project: string | null): Check => ({
  name: project === null ? 'hatchet/plan' : `hatchet/plan: ${project}`,
  state: { status: 'completed', conclusion: 'success' },
  title: 'title',
  buttons: [],
  annotations: [],
  project,
});

/** A renderer, and the plans that it read. */
function countingRenderer() {
  const reads: PlanId[] = [];
  const render = createRenderer(async (id) => {
    reads.push(id);
    return changes.get(id) ?? { resources: [], outputs: [] };
  });
  return { reads, render };
}

test('plans are read once, and only for texts that show them', async () => {
  const { reads, render } = countingRenderer();
  const texts = render(waitingView, links);
  await texts.check(checkOf(null));
  expect(reads).toEqual([]);
  await texts.check(checkOf('prod'));
  expect(reads).toHaveLength(1);
  expect(await texts.comment()).toBe(renderComment(waitingView, changes, links));
  expect(reads).toHaveLength(2);
  const approved = waitingView.projects.map((project) => ({ ...project, approvedBy: ['hubot'] }));
  await render({ ...waitingView, projects: approved }, links).comment();
  expect(reads).toHaveLength(2);
});

test('a text is the same object until something of it changes', async () => {
  const { render } = countingRenderer();
  const first = await render(waitingView, links).check(checkOf('staging'));
  const others = waitingView.projects.map((project) =>
    project.name === 'prod' ? { ...project, approvedBy: ['hubot'] } : project,
  );
  const next = render({ ...waitingView, roundId: 'round-2', projects: others }, links);
  expect(await next.check(checkOf('staging'))).toBe(first);
  expect(await next.check(checkOf('prod'))).not.toBe(first);
  const merged = render({ ...waitingView, sha: waitingView.baseSha ?? waitingView.sha }, links);
  expect(await merged.check(checkOf('staging'))).not.toBe(first);
  const moved = render(waitingView, { ...links, run: (id) => `https://elsewhere.example/${id}` });
  expect(await moved.check(checkOf('staging'))).not.toBe(first);
});

test('a comment with new addresses is made anew', async () => {
  const { render } = countingRenderer();
  const before = await render(waitingView, links).comment();
  const checks = [checkOf(null)];
  const after = await render(
    { ...waitingView, checks },
    { ...links, check: () => 'https://moved.example/' },
  ).comment();
  expect(after).not.toBe(before);
  expect(after).toContain('https://moved.example/');
});

test('what is kept stays within its room, the latest first', () => {
  const kept = createKept<string>(10);
  kept.set('a', 'A', 4);
  kept.set('b', 'B', 4);
  expect(kept.get('a')).toBe('A');
  kept.set('c', 'C', 4);
  expect([kept.get('a'), kept.get('b'), kept.get('c')]).toEqual(['A', undefined, 'C']);
  kept.set('huge', 'H', 11);
  expect([kept.get('a'), kept.get('huge')]).toEqual(['A', undefined]);
  kept.set('a', 'A2', 8);
  expect([kept.get('a'), kept.get('c')]).toEqual(['A2', undefined]);
});
