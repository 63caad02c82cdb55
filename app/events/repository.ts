// Which repository does a payload speak of, and through which installation?
import { z } from 'zod';
import { parseInstallationId, parseRepositoryId } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';

/** The parts that every payload of a repository has. Source: docs.github.com/webhooks/webhook-events-and-payloads */
export const repositoryShape = {
  installation: z.object({ id: z.int() }),
  repository: z.object({
    id: z.int(),
    node_id: z.string(),
    name: z.string(),
    html_url: z.url(),
    owner: z.object({ login: z.string() }),
  }),
  sender: z.object({ login: z.string(), type: z.string().optional() }),
};

export function repositoryOf(payload: {
  readonly installation: { readonly id: number };
  readonly repository: {
    readonly id: number;
    readonly node_id: string;
    readonly name: string;
    readonly html_url: string;
    readonly owner: { readonly login: string };
  };
}): Repository {
  const { installation, repository } = payload;
  return {
    installationId: parseInstallationId(installation.id),
    id: parseRepositoryId(repository.id),
    nodeId: repository.node_id,
    owner: repository.owner.login,
    name: repository.name,
    webUrl: repository.html_url,
  };
}

/** Bots talk to each other for ever if they are let: their comments and clicks are nobody's wish. */
export const isBot = (sender: { readonly login: string; readonly type?: string | undefined }): boolean =>
  sender.type === 'Bot' || sender.login.endsWith('[bot]');
