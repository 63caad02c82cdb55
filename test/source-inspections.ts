// How does a test look into a pull request? A real repository, fetched, merged and read as the product does.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createHclReader } from '../activities/source/hcl.ts';
import {
  createSourceInspector,
  type Living,
  type SourceFacts,
  type SourceInspection,
  type SourceInspector,
} from '../activities/source/inspect.ts';
import { createMirrors, type Mirrors } from '../activities/source/mirror.ts';
import type { PlannedModules } from '../activities/source/planned-modules.ts';
import type { Sha } from '../workflows/model/identifiers.ts';
import type { AffectedProject } from '../workflows/model/project.ts';
import type { PullRequest } from '../workflows/model/pull-request.ts';
import { type FileChange, type Remote, remoteToken, repositoryId, startRemote } from './source-remote.ts';

export type Files = Readonly<Record<string, FileChange>>;

export const backend = 'terraform {\n  backend "local" {}\n}\n';
export const calls = (path: string, name = 'm') => `module "${name}" {\n  source = "${path}"\n}\n`;

/** Each test has a pull request of its own and a base branch that begins anew. */
export function useInspections() {
  const hcl = createHclReader();
  const logged: string[] = [];
  const planned: PlannedModules[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => logged.push(line) });
  let remote: Remote;
  let directory: string;
  let mirrors: Mirrors;
  let source: SourceInspector;
  let number = 0;

  beforeAll(async () => {
    remote = await startRemote();
    directory = mkdtempSync(join(tmpdir(), 'hatchet-inspect-'));
    mirrors = createMirrors({ directory });
    source = createSourceInspector({ mirrors, hcl, plannedModules: async () => planned, log });
  });
  beforeEach(() => {
    number += 1;
    logged.length = 0;
    planned.length = 0;
  });
  afterAll(async () => {
    await Promise.all([mirrors.close(), hcl.close()]);
    await remote.close();
    rmSync(directory, { recursive: true });
  });

  const origin = () => ({ repository: repositoryId, url: remote.url, token: remoteToken });

  function inspect(facts: Partial<PullRequest> & { head: Sha; baseSha: Sha }): Promise<SourceInspection> {
    const pullRequest: SourceFacts = { number, state: 'open', base: 'main', mergeCommit: null, ...facts };
    return source.inspect({ origin: origin(), pullRequest, begun: null });
  }

  function commit(before: Files, changes: Files): { readonly head: Sha; readonly baseSha: Sha } {
    const [base, head] = remote.commitAll([
      { ref: 'refs/heads/main', files: before, options: { parents: [] } },
      { ref: `refs/pull/${number}/head`, files: changes, options: { parents: [':1'] } },
    ]) as [Sha, Sha];
    return { head, baseSha: base };
  }

  return {
    inspect,
    origin,
    remote: () => remote,
    source: () => source,
    number: () => number,
    headRef: () => `refs/pull/${number}/head`,
    /** What the store says of earlier plans. */
    planned: () => planned,
    /** What the log says, one line of JSON each. */
    logged: () => logged,
    /** A base branch with `before`, a pull request that changes it by `changes`. */
    inspectChange: (before: Files, changes: Files): Promise<SourceInspection> =>
      inspect(commit(before, changes)),
    /** What lives on once that is merged. */
    findLiving(before: Files, changes: Files): Promise<Living> {
      const facts = { number, state: 'open', base: 'main', mergeCommit: null } as const;
      return source.findLiving({
        origin: origin(),
        pullRequest: { ...facts, ...commit(before, changes) },
      });
    },
  };
}

export function projectsOf({ source }: SourceInspection): readonly AffectedProject[] {
  return source.kind === 'merged' ? source.projects : [];
}

export function deletedOf({ source }: SourceInspection): readonly AffectedProject[] {
  return source.kind === 'merged' ? source.deleted.projects : [];
}

export const names = (inspection: SourceInspection): string[] =>
  projectsOf(inspection).map((project) => project.name);
