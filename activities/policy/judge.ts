// What do the policies say to this plan?
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Verdict } from '../../workflows/model/verdict.ts';
import { builtInPolicies } from '../../workflows/model/verdict.ts';
import type { JudgeRequest } from '../../workflows/port/judgement.ts';
import { operatorError } from '../faults.ts';
import type { RunStore } from '../run-store.ts';
import type { PolicyBundle } from './bundle.ts';
import type { ReadChangedFiles } from './changed-files.ts';
import { compilePolicies } from './compile.ts';
import { createEvaluator, evaluationLimits } from './evaluate.ts';
import { policyFacts } from './input.ts';
import type { PolicyPlace, ReadPolicies } from './judge-repository.ts';
import { createRepositoryJudge } from './judge-repository.ts';
import { readBuiltInSources } from './policy-source.ts';
import { policyName, readVerdict } from './result.ts';

/** An installation without one of these is broken, not lenient. */
const builtInPackages = builtInPolicies.map((policy) => `hatchet.${policy}`);

export type JudgeOptions = {
  readonly store: Pick<RunStore, 'readPlan' | 'readPlanJson' | 'readPlanMasks'>;
  readonly opaPath: string;
  /** Holds the built-in Rego. */
  readonly policiesDir: string;
  /** Compiled policies of repositories are kept here, and the built-in ones there; made when missing. */
  readonly cacheDir: string;
  readonly builtInCacheDir: string;
  readonly readPolicies: ReadPolicies;
  readonly readChangedFiles: ReadChangedFiles;
  /** Values that no verdict may hold, beside those that a plan marks as sensitive and those that its runner found in it. */
  readonly masks: readonly string[];
  readonly log: Pick<Logger, 'error'>;
};

export type Judge = {
  /**
   * Verdicts of the built-in policies sorted by name, then those of the repository's own. Fails closed: what cannot
   * be evaluated is a verdict with `error`. Sensitive values of the plan are masked in all that they say.
   * OperatorError: the store does not have the plan. Anything else: this process is ending, another may judge.
   */
  readonly judge: (request: JudgeRequest) => Promise<readonly Verdict[]>;
  /** Compiles and starts everything once. OperatorError: the built-in policies cannot be used. */
  readonly warm: () => Promise<void>;
  /**
   * Names the policies that would judge now: SHA-256 of the compiled built-in ones and of the repository's own.
   * OperatorError before `warm` has succeeded.
   */
  readonly policyDigest: (
    request: PolicyPlace & { readonly rules: Pick<JudgeRequest['rules'], 'policies'> },
  ) => Promise<string>;
  readonly close: () => Promise<void>;
};

export function createJudge(options: JudgeOptions): Judge {
  const { store, readChangedFiles, log } = options;
  const evaluator = createEvaluator(evaluationLimits, options.masks);
  const own = createRepositoryJudge({ ...options, evaluator });
  let compiled: PolicyBundle | null = null;
  let compiling: Promise<PolicyBundle> | null = null;

  const bundle = async (): Promise<PolicyBundle> => {
    if (compiled !== null) return compiled;
    compiling ??= compileBuiltIns(options);
    try {
      compiled = await compiling;
      return compiled;
    } finally {
      // What failed may be mended by an operator meanwhile: it is tried again.
      compiling = null;
    }
  };

  return {
    async judge(request) {
      const [planJson, masks, { plan }] = await Promise.all([
        store.readPlanJson(request.planId),
        store.readPlanMasks(request.planId),
        store.readPlan(request.planId),
      ]);
      const built = await bundle().catch((cause: unknown) => {
        log.error({ err: cause, planId: request.planId }, 'the built-in policies cannot be evaluated');
        return null;
      });
      // Those that Hatchet brings along look at no paths.
      const changedFiles = request.rules.policies.length > 0 ? await readChangedFiles(request) : [];
      const time = new Date().toISOString();
      const facts = policyFacts(request, { project: plan.project, changedFiles, time });
      const [ours, theirs] = await Promise.all([
        built === null
          ? builtInPackages.map((name) => unevaluated(policyName(name)))
          : evaluator
              .evaluate({ bundle: built, planJson, masks, facts, shape: 'nested' })
              .then((answers) => answers.map((answer) => readVerdict(answer, 'mandatory'))),
        own.judge(request, { planJson, masks, facts }),
      ]);
      return [...ours, ...theirs.map((verdict) => toldApart(verdict, ours))];
    },
    async warm() {
      await Promise.all([bundle(), evaluator.start()]);
    },
    async policyDigest(request) {
      if (compiled === null) throw operatorError('the built-in policies are not compiled yet');
      const parts = [compiled.digest, ...(await own.digests(request))];
      return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    },
    close: evaluator.close,
  };
}

async function compileBuiltIns(options: JudgeOptions): Promise<PolicyBundle> {
  const { opaPath, builtInCacheDir: cacheDir, policiesDir } = options;
  const result = await compilePolicies({ opaPath, cacheDir, sources: await readBuiltInSources(policiesDir) });
  if (result.kind === 'broken') {
    const { summary, path, startLine } = result.problems[0];
    throw operatorError(`the built-in policies do not compile: ${path ?? ''}:${startLine ?? ''} ${summary}`);
  }
  const missing = builtInPackages.find(
    (name) => !result.bundle.packages.some((known) => known.name === name),
  );
  if (missing !== undefined) throw operatorError(`the built-in policy ${missing} is missing`);
  return result.bundle;
}

/** A repository's policy that is called like a built-in one must not pass for it. */
function toldApart(verdict: Verdict, ours: readonly Verdict[]): Verdict {
  if (!ours.some(({ policy }) => policy === verdict.policy)) return verdict;
  const policy = `${verdict.policy} (of the repository)`;
  return { ...verdict, policy, approvals: verdict.approvals.map((rule) => ({ ...rule, source: policy })) };
}

function unevaluated(policy: string): Verdict {
  const error =
    'the built-in policies cannot be evaluated; the operator of Hatchet finds the cause in the log';
  return { policy, level: 'mandatory', denials: [], warnings: [], approvals: [], error };
}
