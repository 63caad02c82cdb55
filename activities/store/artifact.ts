// How are bytes kept that nobody but Hatchet may read?
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import type { PlanId, RunId } from '../../workflows/model/identifiers.ts';
import { operatorError } from '../faults.ts';
import type { Sql } from './connection.ts';

/** Authenticated encryption; `open` throws when a bit differs, the context differs or the key is not there. */
export type Keyring = {
  seal(clear: Uint8Array, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
};

export type ArtifactKind =
  | 'plan-file'
  | 'plan-json'
  | 'plan-masks'
  | 'changes'
  | 'lock-file'
  | 'log'
  | 'errored-state';
/** `id`: the plan or the run that the bytes belong to. */
export type ArtifactKey = { readonly id: PlanId | RunId; readonly kind: ArtifactKind };
export type Artifact = ArtifactKey & { readonly clear: Buffer };

/** Half of the longest string that V8 can hold, since PostgreSQL's driver sends bytes as hex digits. */
export const maxArtifactBytes = 240 * 1024 * 1024;
/** A plan older than a month describes another world; logs explain what happened for a quarter. */
const keepDays: Readonly<Record<ArtifactKind, number>> = {
  'plan-file': 30,
  'plan-json': 30,
  'plan-masks': 30,
  changes: 90,
  'lock-file': 30,
  log: 90,
  // The only copy of a state that Terraform could not write.
  'errored-state': 365,
};
const dayMs = 86_400_000;

/** A row of the table `artifact`, ready to insert. */
export type SealedArtifact = {
  readonly id: string;
  readonly kind: string;
  readonly sealed: Buffer;
  readonly sha256: string;
  readonly size: number;
  readonly expires_at: Date;
};

export const artifactColumns = ['id', 'kind', 'sealed', 'sha256', 'size', 'expires_at'] as const;

/** OperatorError: larger than the store takes. */
export async function sealArtifact(keyring: Keyring, artifact: Artifact): Promise<SealedArtifact> {
  const { id, kind, clear } = artifact;
  if (clear.length > maxArtifactBytes) {
    throw operatorError(
      `the ${kind} of ${id} has ${clear.length} bytes and the store takes ${maxArtifactBytes}`,
    );
  }
  const sealed = keyring.seal(await promisify(gzip)(clear), contextOf(artifact));
  const expiresAt = new Date(Date.now() + keepDays[kind] * dayMs);
  return { id, kind, sealed, sha256: sha256(clear), size: clear.length, expires_at: expiresAt };
}

const sealedRows = z
  .array(
    z.object({ sealed: z.instanceof(Buffer), sha256: z.string(), size: z.number(), expired: z.boolean() }),
  )
  .max(1);

export type Artifacts = {
  /** Saving again replaces: the last attempt of a run is the one that counts. */
  save(artifact: Artifact): Promise<void>;
  /** What is there stays as it is. */
  add(artifact: Artifact): Promise<void>;
  /** OperatorError: never saved, expired, or not as it was saved. */
  read(key: ArtifactKey): Promise<Buffer>;
  /** As `read`; null when it was never saved. */
  find(key: ArtifactKey): Promise<Buffer | null>;
  /** How many were expired and are gone now. */
  deleteExpired(): Promise<number>;
};

export function createArtifacts(sql: Sql, keyring: Keyring): Artifacts {
  const find: Artifacts['find'] = async (key) => {
    const [row] = sealedRows.parse(
      await sql`select sealed, sha256, size, expires_at <= now() as expired from artifact
        where id = ${key.id} and kind = ${key.kind}`,
    );
    if (row === undefined) return null;
    if (row.expired)
      throw operatorError(`the ${key.kind} of ${key.id} has expired after ${keepDays[key.kind]} days`);
    return openArtifact(keyring, key, row);
  };
  return {
    find,
    async read(key) {
      const clear = await find(key);
      if (clear === null) throw operatorError(`the ${key.kind} of ${key.id} is not in the store`);
      return clear;
    },
    async save(artifact) {
      const row = await sealArtifact(keyring, artifact);
      await sql`insert into artifact ${sql(row, artifactColumns)} on conflict (id, kind) do update
        set sealed = excluded.sealed, sha256 = excluded.sha256, size = excluded.size, expires_at = excluded.expires_at`;
    },
    async add(artifact) {
      const row = await sealArtifact(keyring, artifact);
      await sql`insert into artifact ${sql(row, artifactColumns)} on conflict (id, kind) do nothing`;
    },
    async deleteExpired() {
      const { count } = await sql`delete from artifact where expires_at <= now()`;
      return count;
    },
  };
}

async function openArtifact(
  keyring: Keyring,
  key: ArtifactKey,
  row: { readonly sealed: Buffer; readonly sha256: string; readonly size: number },
): Promise<Buffer> {
  try {
    const packed = keyring.open(row.sealed, contextOf(key));
    const clear = await promisify(gunzip)(packed, { maxOutputLength: maxArtifactBytes });
    if (clear.length !== row.size || sha256(clear) !== row.sha256) throw new Error('its checksum differs');
    return clear;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw operatorError(`the ${key.kind} of ${key.id} cannot be opened: ${reason}`, error);
  }
}

/** Sealed bytes open in their own row only. */
const contextOf = ({ id, kind }: ArtifactKey): string => `artifact/${id}/${kind}`;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
