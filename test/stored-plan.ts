// What does a plan look like that a test can keep?
import { randomUUID } from 'node:crypto';
import type { PlanBytes, StoredPlan } from '../activities/run-store.ts';
import type { ApplyGrant } from '../workflows/model/apply.ts';
import type { PlanDigest, RunId } from '../workflows/model/identifiers.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRepositoryId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../workflows/model/identifiers.ts';
import type { Repository } from '../workflows/model/repository.ts';
import type { AskedApply } from '../workflows/port/begun-apply.ts';

/** An id beyond 32 bits: GitHub's are on their way there. */
export const repository: Repository = {
  installationId: parseInstallationId(77),
  id: parseRepositoryId(9_000_000_001),
  nodeId: 'R_1',
  owner: 'acme',
  name: 'infra',
  webUrl: 'https://github.com/acme/infra',
};

const head = parseSha('a'.repeat(40));
const base = parseSha('b'.repeat(40));

export const someDigest = (letter: string): PlanDigest => parsePlanDigest(letter.repeat(64));
export const someRun = (): RunId => parseRunId(randomUUID());

/** A plan of its own id; `dir` and `digest` tell projects and contents apart. */
export function somePlan(
  changes: { readonly dir?: string; readonly digest?: PlanDigest; readonly number?: number } = {},
): StoredPlan {
  const { dir = 'network', digest = someDigest('d'), number = 7 } = changes;
  return {
    plan: {
      id: parsePlanId(randomUUID()),
      runId: parseRunId('00000000-0000-4000-8000-0000000000aa'),
      project: { name: dir, dir, workspace: 'default', engine: 'terraform' },
      digest,
      counts: { add: 1, change: 0, replace: 1, destroy: 0, import: 0, move: 0, forget: 0 },
      outputChanges: 0,
      hasChanges: true,
      risky: [{ address: 'terraform_data.a["x"]', action: 'replace' }],
      warnings: [
        { severity: 'warning', summary: 'odd \u0000 \ud800 text', detail: '', path: 'main.tf', startLine: 3 },
      ],
      sourceDigest: parseSourceDigest('e'.repeat(64)),
      head,
      base,
      engineVersion: '1.11.4',
      destroy: false,
    },
    repository,
    number,
    source: { head, base, tree: parseSha('c'.repeat(40)) },
    state: { lineage: 'l', serial: 4 },
    planFileSha256: 'f'.repeat(64),
    varFiles: [],
    moduleDirs: [],
    missedModules: [],
  };
}

/** The bytes of a plan, each holding `word`. */
export function someBytes(word: string): PlanBytes {
  return {
    planFile: Buffer.from([0, 255, ...Buffer.from(`plan file ${word}`)]),
    planJson: Buffer.from(JSON.stringify({ secret: word })),
    masks: [`mask ${word}`],
    log: Buffer.from(`log ${word}`),
    changes: {
      resources: [
        {
          address: 'terraform_data.a',
          type: 'terraform_data',
          action: 'replace',
          attributes: [
            {
              path: 'input',
              before: { kind: 'known', json: '12345678901234567890' },
              after: { kind: 'sensitive' },
              forcesReplacement: true,
            },
          ],
          createFirst: true,
        },
      ],
      outputs: [{ name: word, before: { kind: 'absent' }, after: { kind: 'unknown' } }],
    },
    lockFile: Buffer.from(`lock ${word}`),
  };
}

/** The claims of a grant. Only `grantApply` makes real ones; the store looks at the claims, never at the proof. */
export function someGrant(
  { plan, number }: StoredPlan,
  changes: Partial<Pick<ApplyGrant, 'approvals' | 'rules'>> = {},
): ApplyGrant {
  const claims: object = {
    planId: plan.id,
    digest: plan.digest,
    project: plan.project,
    number,
    head: plan.head,
    trigger: { kind: 'comment', actor: 'ada' },
    approvals: [],
    over: null,
    authors: [],
    rules: [],
    ...changes,
  };
  return claims as ApplyGrant;
}

/** What a life of a project's workflow keeps with its fence. */
export const someAsked = (life = 'a-life'): AskedApply => ({
  life,
  replyTo: 'pull-request/1/7',
  mode: 'apply',
});
