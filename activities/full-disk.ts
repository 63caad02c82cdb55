// Is a disk full, and what is said of it then?
import { statfs } from 'node:fs/promises';
import type { Diagnostic } from '../workflows/model/diagnostic.ts';

/** No room, or none for this user. Source: open(2), write(2). */
const codes = ['ENOSPC', 'EDQUOT'];

/**
 * In the words of the C library and of Go, whatever language others speak: git and Terraform have no exit code for it.
 * They decide only what is said besides.
 */
const words = /no space left on device|disk quota exceeded/i;

export const saysDiskFull = (text: string): boolean => words.test(text);

/** Whether the error, or what caused it, says so. */
export function isFullDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return codes.includes(String(code)) || saysDiskFull(error.message) || isFullDisk(error.cause);
}

/** Whether an ordinary user has no room at all there; false where nobody can tell. */
export async function hasNoRoom(place: string): Promise<boolean> {
  return statfs(place).then(
    ({ bavail }) => bavail === 0,
    () => false,
  );
}

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
