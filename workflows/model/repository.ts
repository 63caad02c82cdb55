// Which repository is meant, and by which installation is it reached?
import type { InstallationId, RepositoryId } from './identifiers.ts';

/** A repository as GitHub names it now. Identity is `id`; `owner` and `name` are for addresses and texts. */
export type Repository = {
  readonly installationId: InstallationId;
  readonly id: RepositoryId;
  /** GraphQL node id. */
  readonly nodeId: string;
  readonly owner: string;
  readonly name: string;
  /** Its page on GitHub; links start with it. */
  readonly webUrl: string;
};

/** One pull request of a repository. */
export type PullRequestRef = { readonly repository: Repository; readonly number: number };
