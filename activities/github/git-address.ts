// Where does git reach a repository, given the address of the API?
import type { Repository } from '../../workflows/model/repository.ts';

/**
 * github.com: api.github.com → github.com. GitHub Enterprise Server: HOST/api/v3 → HOST.
 * ghe.com: api.SUB.ghe.com → SUB.ghe.com. Anything else is taken to serve git beside its API.
 */
export function gitAddress(apiUrl: string, { owner, name }: Pick<Repository, 'owner' | 'name'>): string {
  const url = new URL(apiUrl);
  if (url.hostname.startsWith('api.')) url.hostname = url.hostname.slice('api.'.length);
  const base = url.pathname.replace(/\/api\/v3\/?$/, '').replace(/\/$/, '');
  return `${url.origin}${base}/${encodeURIComponent(owner)}/${encodeURIComponent(name)}.git`;
}
