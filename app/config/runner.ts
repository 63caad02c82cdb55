// What may Terraform see of the machine it runs on?
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, isAbsolute, normalize, sep } from 'node:path';
import picomatch from 'picomatch';
import type { Environment } from './environment.ts';
import { readChoice, readFlag } from './environment.ts';
import { isOwnName, ownNames } from './own-names.ts';

/** Handed to the runner as it is; nothing else of the environment reaches Terraform. */
export type RunnerConfig = {
  readonly env: Readonly<Record<string, string>>;
  /** Absolute directories that Terraform may read and write beside its own. */
  readonly paths: readonly string[];
  readonly network: 'host' | 'none';
  /** Refuse to run without a working sandbox. */
  readonly requireSandbox: boolean;
};

export function readRunner(environment: Environment, dataDir: string): RunnerConfig {
  return {
    env: readRunnerEnv(environment),
    paths: readRunnerPaths(environment, dataDir),
    network: readChoice(environment, 'HATCHET_RUNNER_NETWORK', ['host', 'none'], 'host'),
    requireSandbox: readFlag(environment, 'HATCHET_REQUIRE_SANDBOX'),
  };
}

function readRunnerEnv(environment: Environment): Record<string, string> {
  const variable = 'HATCHET_RUNNER_ENV';
  const patterns = splitList(environment.get(variable), ',');
  const own = [...ownNames, ...environment.names.filter(isOwnName)];
  const allowed = patterns.filter((pattern) => {
    const what = describeBadPattern(pattern, own);
    if (what !== null) {
      const remedy = 'List names or narrow globs, such as AWS_*,TF_VAR_*.';
      environment.report({ variable, what: `has "${pattern.slice(0, 80)}", which ${what}`, remedy });
    }
    return what === null;
  });
  const isAllowed = picomatch(allowed.length > 0 ? allowed : ['!**']);
  const shared = environment.names.filter((name) => allowed.length > 0 && isAllowed(name)).sort();
  return Object.fromEntries(shared.map((name) => [name, environment.get(name) ?? '']));
}

function describeBadPattern(pattern: string, own: readonly string[]): string | null {
  if (!/^[A-Za-z_*][A-Za-z0-9_*]*$/.test(pattern))
    return 'is neither the name of a variable nor a glob of names';
  const secret = isOwnName(pattern) ? pattern : own.find((name) => picomatch.isMatch(name, pattern));
  return secret === undefined ? null : `would hand Hatchet's own ${secret} to Terraform`;
}

function readRunnerPaths(environment: Environment, dataDir: string): readonly string[] {
  const variable = 'HATCHET_RUNNER_PATHS';
  return splitList(environment.get(variable), ':').map((entry) => {
    const path = normalize(entry).replace(/(?<=.)\/+$/, '');
    const what = describeBadPath(path, dataDir);
    if (what !== null) {
      const remedy = 'List absolute directories, separated by colons.';
      environment.report({ variable, what: `has "${entry}", which ${what}`, remedy });
    }
    return path;
  });
}

function describeBadPath(path: string, dataDir: string): string | null {
  if (!isAbsolute(path)) return 'is not absolute';
  if (path === sep || `${dataDir}${sep}`.startsWith(`${path}${sep}`)) {
    return "holds Hatchet's own data directory";
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) return found.isDirectory() ? null : 'is not a directory';
  return isWritable(nearestExisting(path)) ? null : 'is not there and cannot be made';
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return statSync(parent, { throwIfNoEntry: false }) === undefined ? nearestExisting(parent) : parent;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function splitList(text: string | undefined, separator: string): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
