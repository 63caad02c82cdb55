// Why does GitHub not take the comment of a pull request, and do its checks say so already?
import { z } from 'zod';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { View } from '../../workflows/model/view.ts';
import type { Silence } from '../render/silence.ts';
import type { GitHub } from './client.ts';
import type { Surface, SurfaceMemory } from './surfaces.ts';

/** Beside what was written it is remembered what could not be. */
const key = 'silence';
const silences: readonly Silence[] = ['locked', 'refused'];

/** What the checks say already; null when they say that of nothing. */
export function silenceOf(surfaces: readonly Surface[]): Silence | null {
  const told = surfaces.find((surface) => surface.key === key);
  return silences.find((silence) => silence === told?.hash) ?? null;
}

export async function noteSilence(
  memory: SurfaceMemory,
  ref: PullRequestRef,
  silence: Silence | null,
): Promise<void> {
  if (silence === null) return memory.forget(ref, [key]);
  await memory.save(ref, [{ key, nodeId: '', hash: silence, annotationsHash: '', open: false, at: null }]);
}

const query = 'query($id: ID!) { node(id: $id) { ... on PullRequest { locked } } }';
const answerSchema = z.object({ node: z.object({ locked: z.boolean().optional() }).nullable() });

/** Asked once the comment was refused: GitHub gives the same code for other reasons. */
export async function findSilence(github: GitHub, { repository, nodeId }: View): Promise<Silence> {
  const { data } = await github.graphql(repository.installationId, query, { id: nodeId });
  return answerSchema.parse(data).node?.locked === true ? 'locked' : 'refused';
}
