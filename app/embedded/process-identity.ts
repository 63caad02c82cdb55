// Is the process that we once knew by this number still the same one, and alive?
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** `startedAt` is opaque: it only tells one process from another that later got the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

export const processIdentity = z.object({ pid: z.int().positive(), startedAt: z.string() }).readonly();

/** A process that ends takes a few milliseconds; the kernel offers no event for one that is not our child. */
const pollMs = 20;

/** Null when no such process lives; a zombie does not live. Synchronous: a pid must be known before anything else happens. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === 'linux' ? linuxStart(pid) : otherStart(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export function isAlive(known: ProcessIdentity): boolean {
  return identify(known.pid)?.startedAt === known.startedAt;
}

/**
 * Asks with each signal in turn, waits `graceMs` after each, and answers whether the process is gone.
 * Never touches another process that has got the number meanwhile.
 */
export async function endProcess(
  known: ProcessIdentity,
  signals: readonly NodeJS.Signals[],
  graceMs: number,
): Promise<boolean> {
  for (const signal of signals) {
    if (!isAlive(known)) return true;
    process.kill(known.pid, signal);
    if (await isGoneWithin(known, graceMs)) return true;
  }
  return false;
}

async function isGoneWithin(known: ProcessIdentity, graceMs: number): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!isAlive(known)) return true;
    await delay(pollMs);
  }
  return false;
}

/**
 * Fields 3 (state) and 22 (start, in ticks since boot) of /proc/PID/stat; the name in field 2 may hold anything, so
 * we count from its last parenthesis. Source: proc_pid_stat(5).
 */
function linuxStart(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  if (start === undefined || state === 'Z' || state === 'X') return null;
  return `${readIfThere('/proc/sys/kernel/random/boot_id').trim()} ${start}`;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function otherStart(pid: number): string | null {
  const [state = '', ...start] = ps('stat=,lstart=', pid).split(/\s+/);
  return state === '' || state.startsWith('Z') ? null : start.join(' ');
}

/** Program and arguments as the process was started, with whatever separates them; empty when it is not there. */
export function commandLine(pid: number): string {
  return process.platform === 'linux' ? readIfThere(`/proc/${pid}/cmdline`) : ps('command=', pid);
}

function ps(columns: string, pid: number): string {
  const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };
  return (spawnSync('ps', ['-o', columns, '-p', String(pid)], { env, encoding: 'utf8' }).stdout ?? '').trim();
}
