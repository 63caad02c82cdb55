// Could the policies that a pull request edits judge anything, were it merged?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import { createMemo } from '../source/memo.ts';
import type { Mirrors } from '../source/mirror.ts';
import type { CompileResult } from './compile.ts';
import { compilePolicies } from './compile.ts';
import { readPoliciesIn } from './repository-policies.ts';

/** Their problems, at most `maxDiagnosticsCarried`. `tree`: what merging gives; `paths`: entries of `policies`. */
export type CheckEditedPolicies = (request: {
  readonly repositoryId: RepositoryId;
  readonly tree: Sha;
  readonly paths: readonly string[];
}) => Promise<readonly Diagnostic[]>;

/** A pull request is looked at several times before the next push. */
const maxKept = 20;

export function createPolicyChecker(options: {
  readonly mirrors: Pick<Mirrors, 'open'>;
  readonly opaPath: string;
  readonly cacheDir: string;
}): CheckEditedPolicies {
  const { mirrors, opaPath, cacheDir } = options;
  const compiled = createMemo<CompileResult>(maxKept);
  return async ({ repositoryId, tree, paths }) => {
    const { objects } = await mirrors.open(repositoryId);
    const problems = await Promise.all(
      paths.map(async (path): Promise<readonly Diagnostic[]> => {
        const found = await readPoliciesIn(objects, { tree, called: 'in this pull request' }, path);
        if (found.kind === 'unusable') return [{ severity: 'error', summary: found.problem, detail: '' }];
        const { digest, sources } = found;
        const result = await compiled(digest, () => compilePolicies({ opaPath, cacheDir, sources }));
        return result.kind === 'broken' ? result.problems : [];
      }),
    );
    return problems.flat().slice(0, maxDiagnosticsCarried);
  };
}
