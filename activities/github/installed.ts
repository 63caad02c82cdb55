// Where is the App installed?
import { z } from 'zod';
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import { parseInstallationId, parseRepositoryId } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { GitHub } from './client.ts';

const installations = z.array(z.object({ id: z.int(), suspended_at: z.string().nullish() }));
const repositories = z.object({
  total_count: z.int(),
  repositories: z.array(
    z.object({
      id: z.int(),
      node_id: z.string(),
      name: z.string(),
      html_url: z.string(),
      owner: z.object({ login: z.string() }),
    }),
  ),
});

/** GitHub's largest page. */
const pageSize = 100;

/** Every repository that the App can reach; those of an installation that is suspended it cannot. */
export async function listInstalled(github: Pick<GitHub, 'app' | 'rest'>): Promise<readonly Repository[]> {
  const found: Repository[] = [];
  let page: string | null = '1';
  while (page !== null) {
    const answer = await github.app('GET /app/installations', { per_page: pageSize, page });
    for (const { id, suspended_at } of installations.parse(answer.data)) {
      if (typeof suspended_at === 'string') continue;
      found.push(...(await listOf(github, parseInstallationId(id))));
    }
    page = answer.next;
  }
  return found;
}

async function listOf(
  github: Pick<GitHub, 'rest'>,
  installationId: InstallationId,
): Promise<readonly Repository[]> {
  const found: Repository[] = [];
  for (let page = 1; ; page += 1) {
    const parameters = { per_page: pageSize, page };
    const answer = await github.rest(installationId, 'GET /installation/repositories', parameters);
    // The App was removed from there a moment ago.
    if (answer === null) return [];
    const { total_count, repositories: listed } = repositories.parse(answer);
    found.push(
      ...listed.map(({ id, node_id, name, html_url, owner }) => ({
        installationId,
        id: parseRepositoryId(id),
        nodeId: node_id,
        owner: owner.login,
        name,
        webUrl: html_url,
      })),
    );
    if (listed.length === 0 || found.length >= total_count) return found;
  }
}
