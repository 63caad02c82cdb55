// What does a runner need from the process that it lives in?

import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Repository } from '../../workflows/model/repository.ts';
import type { LockMark } from '../../workflows/model/state-lock.ts';
import type { RunPass } from '../../workflows/port/run.ts';
import type { LogSink, RunnerStore } from '../run-store.ts';
import type { EngineFor } from './engine.ts';
import type { InitCache } from './init-cache.ts';

export type RunnerSettings = {
  /** Private to the runner; holds one directory per run, and the record of applies that were started. */
  readonly workDir: string;
  /** What Terraform may see, already chosen by HATCHET_RUNNER_ENV. */
  readonly environment: Readonly<Record<string, string>>;
  /** HATCHET_RUNNER_PATHS: directories outside the run's own that Terraform may read and write. */
  readonly paths: readonly string[];
  readonly network: 'host' | 'none';
  /** Absolute path of `bwrap`, only where `canSandbox` said yes; null runs Terraform without a sandbox. */
  readonly bubblewrap: string | null;
  /** Providers that were installed before; shared by all runs, which can only read it. */
  readonly pluginCacheDir: string;
  /** Values that must not be seen in any log or diagnostic. */
  readonly masks: readonly string[];
  /** What the store takes of a plan's JSON. */
  readonly maxPlanBytes: number;
};

/** What one run reads and keeps. */
export type RunAccess = {
  readonly store: RunnerStore;
  /** Exports a whole tree into an existing empty directory; committed symlinks stay symlinks. */
  readonly checkout: (request: {
    readonly repository: Repository;
    readonly tree: Sha;
    readonly into: string;
  }) => Promise<void>;
  /** Null: nobody follows runs while they go on. */
  readonly liveLog: LogSink | null;
};

export type RunnerDependencies = RunAccess & {
  readonly engineFor: EngineFor;
  readonly initCache: InitCache;
  /** Takes the directory of an apply of which not everything could be kept. */
  readonly leftovers: { readonly add: (root: string) => void };
  /** What it reads and keeps with, where control is another process. */
  readonly pass: RunPass | null;
  readonly settings: RunnerSettings;
};

export type RunStage = 'checkout' | 'init' | 'plan' | 'show' | 'apply' | 'store';

/** What Temporal says of the attempt that is running. */
export type RunContext = {
  readonly heartbeat: (details: { readonly stage: RunStage; readonly mark?: LockMark }) => void;
  /** Aborts when the run is no longer wanted; its reason is what a cancelled plan throws. */
  readonly signal: AbortSignal;
  /** Counts from 1. */
  readonly attempt: number;
  /** For the operator's log. */
  readonly warn: (message: string, error: unknown) => void;
};
