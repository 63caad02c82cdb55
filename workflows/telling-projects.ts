// How does a pull request say one thing to several projects?

import type { Desk } from './desk.ts';
import type { ProjectRequest } from './model/lock.ts';
import type { ProjectPlace } from './port/record.ts';
import { askProjects } from './proxies.ts';

export async function tellProjects(
  { state: { ref } }: Desk,
  places: readonly ProjectPlace[],
  request: ProjectRequest,
): Promise<void> {
  if (places.length === 0) return;
  const asked = places.map(({ dir, workspace }) => ({ project: { dir, workspace }, request }));
  await askProjects({ repository: ref.repository, asked });
}
