// Which run may read and keep what? The passes that control writes, and that nobody else can.
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parsePlanId, parseRepositoryId, parseRunId, parseSha } from '../../workflows/model/identifiers.ts';
import type { RunAdmission } from '../../workflows/port/run.ts';

/** What a pass says: one run of one repository, what it is for, and when it ends (milliseconds since 1970). */
export type Claims = Omit<RunAdmission, 'lifetimeMs'> & { readonly expires: number };

/** `late`: it has ended, and opens nothing but the door for what the run had left to keep. */
export type Admitted = Claims & { readonly late: boolean };

export type Passes = {
  /** The token of a pass for this run. It opens nothing of any other run. */
  readonly issue: (admission: RunAdmission) => string;
  /** `wrong` also when anything is missing: nobody learns how near a guess was. */
  readonly check: (token: string) => Admitted | 'expired' | 'wrong';
};

/** A run keeps what it made after Terraform has ended: longer than it goes on trying to reach a service that is away. */
const graceMs = 10 * 60_000;
/** A runner that was cut off or killed for longer has nothing left that anybody could still put back. */
const lateMs = 30 * 24 * 60 * 60_000;
/** No claims are longer; longer tokens are not even looked at. */
const maxTokenLength = 8_192;

const claimsSchema = z.object({
  repositoryId: z.number().transform(parseRepositoryId),
  pool: z.string(),
  runId: z.string().transform(parseRunId),
  expires: z.number(),
  operation: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('plan'),
      number: z.number(),
      project: z.object({
        name: z.string(),
        dir: z.string(),
        workspace: z.string(),
        engine: z.enum(['terraform', 'tofu']),
      }),
      tree: z.string().transform(parseSha),
    }),
    z.object({ kind: z.literal('apply'), planId: z.string().transform(parsePlanId) }),
  ]),
});

/** `now`: milliseconds. The first key signs; passes that an older one signed hold for as long as it is kept. */
export function createPasses({
  keys,
  now,
}: {
  readonly keys: readonly [Buffer, ...Buffer[]];
  readonly now: () => number;
}): Passes {
  return {
    issue: ({ lifetimeMs, ...run }) => {
      const claims = JSON.stringify({ ...run, expires: now() + lifetimeMs + graceMs });
      const body = Buffer.from(claims).toString('base64url');
      return `${body}.${sign(keys[0], body).toString('base64url')}`;
    },
    check: (token) => {
      if (token.length > maxTokenLength) return 'wrong';
      const [, body = '', signature = ''] = /^([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
      const given = Buffer.from(signature, 'base64url');
      if (!keys.some((key) => isSame(given, sign(key, body)))) return 'wrong';
      // What an earlier version signed may say something else.
      const { data } = claimsSchema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()));
      if (data === undefined) return 'wrong';
      const overMs = now() - data.expires;
      if (overMs < 0) return { ...data, late: false };
      return data.operation.kind === 'apply' && overMs < lateMs ? { ...data, late: true } : 'expired';
    },
  };
}

function sign(key: Buffer, body: string): Buffer {
  return createHmac('sha256', key).update(body).digest();
}

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
