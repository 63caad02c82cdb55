// Who holds the lock that Terraform was refused, and how will ours be signed?
import { hostname, userInfo } from 'node:os';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { LockMark, StateLock } from '../../workflows/model/state-lock.ts';

/** Behind walls each run has a name of its own in place of the machine's: Terraform signs its locks with it. */
export const hostNameOf = (runId: RunId): string => `hatchet-${runId}`;

/** Null where this user has no name: then nobody can tell whose a lock is. */
export function lockMark(runId: RunId, sandboxed: boolean): LockMark | null {
  try {
    const host = sandboxed ? hostNameOf(runId) : hostname();
    return { who: `${userInfo().username}@${host}`, since: new Date().toISOString() };
  } catch {
    return null;
  }
}

/**
 * The lock that is in the way of a command that failed; null when that was not the reason. Terraform has no other form
 * for it than this text, which has been the same in both engines since 0.9.
 * Source: internal/states/statemgr/locker.go (LockInfo.String), internal/backend/remote-state/http/client.go.
 */
export function findStateLock(diagnostics: readonly Diagnostic[]): StateLock | null {
  const told = diagnostics.find(({ summary }) => summary === 'Error acquiring the state lock');
  if (told === undefined) return null;
  const field = (name: string): string =>
    new RegExp(`^\\s*${name}:[ \\t]*(\\S.*)$`, 'm').exec(told.detail)?.[1] ?? '';
  // Terraform's HTTP backend names only the holder's id: what follows it is about whoever was refused (OpenTofu's tells the
  // holder). Its force-unlock does not send an id at all, up to 1.11: no button may offer that.
  const holder = /already locked: ID=(\S+)/.exec(told.detail)?.[1];
  if (holder !== undefined && holder !== field('ID'))
    return { id: holder, operation: '', who: '', created: '' };
  const lock = { id: field('ID'), operation: field('Operation'), who: field('Who') };
  return lock.id === '' ? null : { ...lock, created: isoTime(field('Created')) };
}

/** Of a Go time such as `2026-11-22 07:20:11.123456789 +0000 UTC`; '' when it is none. */
function isoTime(text: string): string {
  const [, day, clock, fraction, hours, minutes] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ([+-]\d\d)(\d\d)\b/.exec(text) ?? [];
  if (day === undefined) return '';
  const ms = (fraction ?? '').padEnd(3, '0').slice(0, 3);
  const time = new Date(`${day}T${clock}.${ms}${hours}:${minutes}`);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}
