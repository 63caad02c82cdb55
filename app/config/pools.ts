// Which pools of runners does this process serve, and how long may work wait for one?
import type { Environment } from './environment.ts';

export type PoolsConfig = {
  /** Names of pools; at least one. */
  readonly served: readonly string[];
  /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
  readonly waitMs: number;
};

/** They become a part of a task queue's name. */
export const poolPattern = /^[A-Za-z0-9._-]{1,60}$/;
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

export function readPools(environment: Environment): PoolsConfig {
  return { served: readNames(environment), waitMs: readWait(environment) };
}

function readNames(environment: Environment): readonly string[] {
  const variable = 'HATCHET_POOLS';
  const names = (environment.get(variable) ?? 'default').split(',').map((name) => name.trim());
  const bad = names.find((name) => !poolPattern.test(name));
  if (bad !== undefined) {
    const remedy = 'List names of letters, digits, dots, dashes and underscores, such as default,gpu.';
    environment.report({ variable, what: `has "${bad.slice(0, 80)}", which is no name of a pool`, remedy });
  }
  return [...new Set(names)];
}

function readWait(environment: Environment): number {
  const variable = 'HATCHET_POOL_WAIT';
  const [, amount, unit] = /^([1-9]\d{0,4})([smh])$/.exec(environment.get(variable) ?? '15m') ?? [];
  if (amount === undefined || unit === undefined) {
    environment.report({ variable, what: 'is not a time', remedy: 'Use one such as 90s, 15m or 1h.' });
    return 0;
  }
  return Number(amount) * (unitMs[unit] ?? 0);
}
