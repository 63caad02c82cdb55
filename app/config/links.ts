// Where do people reach the pages of runs, and for how long?
import type { Environment } from './environment.ts';
import { addressText, readAddress } from './environment.ts';

export type LinksConfig = {
  /** Without a slash at its end; null: there are no pages, and nothing links to them. */
  readonly url: string | null;
  readonly lifetimeMs: number;
};

const minuteMs = 60_000;
const unitMs: Readonly<Record<string, number>> = { m: minuteMs, h: 60 * minuteMs, d: 24 * 60 * minuteMs };
/** As long as logs are kept: a link to more would lead nowhere. */
const longestMs = 90 * 24 * 60 * minuteMs;

export function readLinks(environment: Environment): LinksConfig {
  const url = readAddress(environment, 'HATCHET_URL');
  return { url: url === undefined ? null : addressText(url), lifetimeMs: readLifetime(environment) };
}

function readLifetime(environment: Environment): number {
  const variable = 'HATCHET_LINK_LIFETIME';
  const [, amount, unit = ''] = /^(\d{1,6})([mhd])$/.exec(environment.get(variable) ?? '30d') ?? [];
  const lifetimeMs = Number(amount) * (unitMs[unit] ?? 0);
  if (!(lifetimeMs >= minuteMs && lifetimeMs <= longestMs)) {
    environment.report({
      variable,
      what: 'is not a lifetime',
      remedy: 'Use 1m to 90d, such as 12h, 7d or 30d.',
    });
  }
  return lifetimeMs;
}
