// What do a repository's own policies say to a plan?

import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { Verdict } from '../../workflows/model/verdict.ts';
import type { JudgeRequest } from '../../workflows/port/judgement.ts';
import { createMemo } from '../source/memo.ts';
import type { CompileResult } from './compile.ts';
import { compilePolicies } from './compile.ts';
import type { Evaluation, Evaluator } from './evaluate.ts';
import type { RepositoryPolicies } from './repository-policies.ts';
import { readVerdict } from './result.ts';

export type PolicyPlace = Pick<JudgeRequest, 'repository' | 'base'>;
export type ReadPolicies = (place: PolicyPlace & { readonly path: string }) => Promise<RepositoryPolicies>;

type Options = {
  readonly readPolicies: ReadPolicies;
  readonly opaPath: string;
  readonly cacheDir: string;
  readonly evaluator: Pick<Evaluator, 'evaluate'>;
};
type Wanted = PolicyPlace & { readonly rules: Pick<JudgeRequest['rules'], 'policies'> };
type Level = Verdict['level'];

/** Repositories whose compiled policies are kept in memory; others are read from the cache directory again. */
const maxCompiled = 64;

export type RepositoryJudge = {
  /** In the order of hatchet.yaml. A set that cannot be read or compiled is one verdict under its path. */
  readonly judge: (
    request: Wanted,
    plan: Pick<Evaluation, 'planJson' | 'masks' | 'facts'>,
  ) => Promise<readonly Verdict[]>;
  /** Names which policies would speak: equal for equal texts. */
  readonly digests: (request: Wanted) => Promise<readonly string[]>;
};

export function createRepositoryJudge({
  readPolicies,
  opaPath,
  cacheDir,
  evaluator,
}: Options): RepositoryJudge {
  const compiled = createMemo<CompileResult>(maxCompiled);
  const readAll = ({ repository, base, rules }: Wanted) =>
    Promise.all(
      rules.policies.map(async ({ path, level }) => ({
        path,
        level,
        policies: await readPolicies({ repository, base, path }),
      })),
    );
  const judgeSet = async (
    { path, level, policies }: Awaited<ReturnType<typeof readAll>>[number],
    plan: Pick<Evaluation, 'planJson' | 'masks' | 'facts'>,
  ): Promise<readonly Verdict[]> => {
    if (policies.kind === 'unusable') return [unusable(path, level, policies.problem)];
    const { digest, sources } = policies;
    const result = await compiled(digest, () => compilePolicies({ opaPath, cacheDir, sources }));
    if (result.kind === 'broken') return [unusable(path, level, problemWords(result.problems))];
    const { bundle } = result;
    // conftest's packages look for the plan's keys at the top of their input; others need not pay for that.
    const shape = bundle.packages.some(({ name }) => name === 'main') ? 'flat' : 'nested';
    const answers = await evaluator.evaluate({ bundle, ...plan, shape });
    return answers.map((answer) => softened(readVerdict(answer, level)));
  };
  return {
    async judge(request, plan) {
      const sets = await readAll(request);
      return (await Promise.all(sets.map((set) => judgeSet(set, plan)))).flat();
    },
    async digests(request) {
      const sets = await readAll(request);
      return sets.map(({ policies }) => (policies.kind === 'found' ? policies.digest : policies.problem));
    },
  };
}

function unusable(path: string, level: Level, error: string): Verdict {
  return softened({ policy: path, level, denials: [], warnings: [], approvals: [], error });
}

/** "policies/naming.rego:3: rego_parse_error: …, and 2 more problems" */
function problemWords([first, ...others]: readonly [Diagnostic, ...Diagnostic[]]): string {
  const place = [first.path, first.startLine].filter((part) => part !== undefined).join(':');
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `${place === '' ? '' : `${place}: `}${first.summary}${more}`;
}

/** What is advisory blocks nothing: neither its silence nor what it asks for. */
function softened(verdict: Verdict): Verdict {
  if (verdict.level === 'mandatory') return verdict;
  const failed = verdict.error === null ? [] : [{ message: `could not be evaluated: ${verdict.error}` }];
  const asked = verdict.approvals.map(({ count, message }) => ({
    message: `asks for ${count === 1 ? 'approval' : `${count} approvals`}: ${message}`,
  }));
  return { ...verdict, warnings: [...failed, ...asked, ...verdict.warnings], approvals: [], error: null };
}
