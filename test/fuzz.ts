// With which seed, and on how much input, do fuzz tests run?
import { randomInt } from 'node:crypto';

/** Seeds of fast-check are whole numbers of 32 bits. */
const maxSeed = 2 ** 31;
/** The same input every time, so that a failure today is one tomorrow. */
const keptSeed = 20_261_122;
const seed = chosenSeed(process.env.HATCHET_TEST_SEED);

/**
 * Settings for fast-check. A failure tells its seed and the smallest input that it found: both belong into the test as
 * an example. HATCHET_TEST_SEED chooses another seed, `random` one that is printed; HATCHET_TEST_FUZZ multiplies how
 * much is tried.
 */
export function fuzz(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed, numRuns: numRuns * Number(process.env.HATCHET_TEST_FUZZ ?? 1) };
}

function chosenSeed(wish: string | undefined): number {
  if (wish !== 'random') return Number(wish ?? keptSeed);
  const random = randomInt(maxSeed);
  process.stderr.write(`HATCHET_TEST_SEED=${random}\n`);
  return random;
}
