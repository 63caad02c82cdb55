// May this process use this directory, or does another Hatchet live in it?
import { randomUUID } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';
import { identify, isAlive, processIdentity } from './process-identity.ts';

/** Two starts can meet at the same abandoned claim; more than a few rounds of that is no coincidence. */
const maxRounds = 5;
const claimName = 'claimed-by.json';

export type Claim = { readonly release: () => Promise<void> };

/**
 * Claims `directory` (made if missing) for this process until `release`. A claim whose process is gone is taken over;
 * one that lives, here or in another process, is an OperatorError that names it.
 */
export async function claimDirectory(directory: string): Promise<Claim> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  const claim = join(directory, claimName);
  const mine = join(directory, `${claimName}.${randomUUID()}`);
  await writeFile(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (let round = 0; round < maxRounds; round += 1) {
      if (await linked(mine, claim)) return { release: () => rm(claim, { force: true }) };
      await refuseOrRemove(directory, claim);
    }
  } finally {
    await rm(mine, { force: true });
  }
  throw inUse(directory, null);
}

/** A hard link either is made whole or not at all, which no way of writing a file promises. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves an abandoned claim aside before it is removed, and puts it back if meanwhile another start has made it its own. */
async function refuseOrRemove(directory: string, claim: string): Promise<void> {
  const holder = await readHolder(claim);
  if (holder !== null && isAlive(holder)) throw inUse(directory, holder);
  const aside = `${claim}.${randomUUID()}`;
  await rename(claim, aside).catch(() => undefined);
  const moved = await readHolder(aside);
  if (moved !== null && isAlive(moved)) await linked(aside, claim);
  await rm(aside, { force: true });
}

async function readHolder(file: string): Promise<ProcessIdentity | null> {
  try {
    return processIdentity.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

function inUse(directory: string, holder: ProcessIdentity | null): Error {
  const who = holder === null ? 'another process' : `process ${holder.pid}`;
  return Object.assign(
    new Error(
      `${directory} is in use by ${who}: stop that Hatchet, or set HATCHET_DATA_DIR to another directory`,
    ),
    { name: 'OperatorError' },
  );
}
