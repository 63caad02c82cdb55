// What can be asked about the code of a repository? The parts of this folder put together.
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import { checkout } from './checkout.ts';
import { createHclReader } from './hcl.ts';
import { createSourceInspector, type SourceInspector } from './inspect.ts';
import { createMirrors, type MirrorsOptions } from './mirror.ts';

export type Source = SourceInspector & {
  /**
   * Writes a tree of the mirror into an empty directory; answers with the symbolic links that lead out of the
   * repository and were left out. For the errors see `checkout`.
   */
  checkout(request: {
    readonly repository: Pick<Repository, 'id'>;
    readonly tree: Sha;
    readonly into: string;
  }): Promise<readonly string[]>;
  /** Loads the HCL parser, so that the first pull request does not wait for it. */
  warm(): Promise<void>;
  /** Stops git and the parser. */
  close(): Promise<void>;
};

export function createSource(options: MirrorsOptions): Source {
  const mirrors = createMirrors(options);
  const hcl = createHclReader();
  return {
    ...createSourceInspector({ mirrors, hcl }),
    async checkout({ repository, tree, into }) {
      const { omitted } = await checkout({ mirror: await mirrors.open(repository.id), tree, into });
      return omitted;
    },
    warm: () => hcl.warm(),
    async close() {
      await Promise.all([mirrors.close(), hcl.close()]);
    },
  };
}
