// How does a runner show that it is of the pool that its pass is for?
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Proofs = {
  /** To be sent with the pass. Throws when this process has no key of the pool. */
  readonly make: (pool: string, token: string) => string;
  /** A pass that got out is of no use to whoever has no key of its pool. */
  readonly check: (pool: string, token: string, proof: string) => boolean;
};

/** `keysOf`: of one pool, the first makes proofs and all are believed; null where it is not known. */
export function createProofs(keysOf: (pool: string) => readonly [Buffer, ...Buffer[]] | null): Proofs {
  return {
    make: (pool, token) => {
      const keys = keysOf(pool);
      if (keys === null) throw new Error(`there is no key of the pool "${pool}"`);
      return proofOf(keys[0], token).toString('base64url');
    },
    check: (pool, token, proof) => {
      const given = Buffer.from(proof, 'base64url');
      return (keysOf(pool) ?? []).some((key) => isSame(given, proofOf(key, token)));
    },
  };
}

const proofOf = (key: Buffer, token: string): Buffer => createHmac('sha256', key).update(token).digest();

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
