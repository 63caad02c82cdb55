// Is a disk full, and what is said of it then?
import { statfs } from 'node:fs/promises';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';

/** No room, or none for this user. Source: open(2), write(2). */
const codes = ['ENOSPC', 'EDQUOT'];

/**
 * In the words of the C library and of Go, whatever language others speak: git and Terraform have no exit code for it.
 * GitHub's server and a database elsewhere use them of disks of their own.
 */
const words = /no space left on device|disk quota exceeded/i;

/** What failed for lack of room often deletes what it had begun: git a pack, which may be of some size. */
const littleRoomBytes = 64 * 1024 * 1024;

export const saysDiskFull = (text: string): boolean => words.test(text);

/** Whether the system said so to this process, of whichever disk it wrote on. */
function isFullDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return codes.includes(String(code)) || isFullDisk(error.cause);
}

/** Whether the error, or what caused it, speaks of a full disk, whosever it is. */
export function speaksOfFullDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return isFullDisk(error) || saysDiskFull(error.message) || speaksOfFullDisk(error.cause);
}

/** Whether it failed because the disk of `place` is full: what others say of a disk counts where this one has little room. */
export async function failedForRoom(error: unknown, place: string): Promise<boolean> {
  if (isFullDisk(error)) return true;
  return speaksOfFullDisk(error) && (await freeBytes(place)) < littleRoomBytes;
}

/** Whether an ordinary user has no room at all there; false where nobody can tell. */
export async function hasNoRoom(place: string): Promise<boolean> {
  return (await freeBytes(place)) === 0;
}

/** For an ordinary user; endless where nobody can tell. */
const freeBytes = (place: string): Promise<number> =>
  statfs(place).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );

const runnersFullDiskSummary = "The runner's disk is full";

export const isRunnersFullDisk = ({ summary }: Diagnostic): boolean => summary === runnersFullDiskSummary;

/** `then`: what whoever reads it does after that, as a sentence. */
export const runnersFullDisk = (then: string): Diagnostic => ({
  severity: 'error',
  summary: runnersFullDiskSummary,
  detail: `The code is not the cause. Whoever runs Hatchet makes room on the disk of the runner's HATCHET_DATA_DIR. ${then}`,
});

/** Terraform's own words are about any disk, also one far away. */
export const terraformsFullDisk: Diagnostic = {
  severity: 'error',
  summary: 'A disk is full, says Terraform',
  detail:
    "Where it is the runner's, whoever runs Hatchet makes room on the disk of its HATCHET_DATA_DIR. Then comment /hatchet plan.",
};
