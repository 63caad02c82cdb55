// Who may see a run? Whoever has its link, until it ends.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { LinksConfig } from '../config/links.ts';
import type { Keyring } from '../keyring.ts';

export type RunLinks = {
  /**
   * The address of a run's page. It ends a lifetime after the run was first shown (`since`, ISO 8601), so a run has
   * one address however often it is written down, and a comment does not change because time has passed.
   */
  readonly address: (run: RunId, since: string) => string;
  /** `wrong` also when anything is missing: nobody learns which runs there are. */
  readonly check: (run: RunId, query: URLSearchParams) => 'good' | 'expired' | 'wrong';
};

const purpose = 'hatchet run links, version 1';

/** `now`: milliseconds. Links that were signed with an older encryption key open for as long as that key is kept. */
export function createRunLinks(settings: {
  readonly keyring: Pick<Keyring, 'derive'>;
  readonly url: string;
  readonly lifetimeMs: LinksConfig['lifetimeMs'];
  readonly now: () => number;
}): RunLinks {
  const { url, lifetimeMs, now } = settings;
  const keys = settings.keyring.derive(purpose);
  return {
    address: (run, since) => {
      const expires = String(Math.floor((Date.parse(since) + lifetimeMs) / 1_000));
      const query = new URLSearchParams({ expires, signature: sign(keys[0], run, expires).toString('hex') });
      return `${url}/runs/${run}?${query}`;
    },
    check: (run, query) => {
      const expires = query.get('expires') ?? '';
      const given = Buffer.from(query.get('signature') ?? '', 'hex');
      const isSigned = keys.some((key) => isSame(given, sign(key, run, expires)));
      if (!isSigned) return 'wrong';
      return Number(expires) * 1_000 > now() ? 'good' : 'expired';
    },
  };
}

function sign(key: Buffer, run: RunId, expires: string): Buffer {
  return createHmac('sha256', key).update(`${run}\n${expires}`).digest();
}

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
