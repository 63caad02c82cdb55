// With which seed, and on how much input, do fuzz tests run?

/** The same input every time, so that a failure today is one tomorrow; another by HATCHET_TEST_SEED. */
const keptSeed = 20_261_122;

/**
 * Settings for fast-check. A failure tells its seed and the smallest input that it found: both belong into the test as
 * an example. HATCHET_TEST_FUZZ multiplies how much is tried.
 */
export function fuzz(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return {
    seed: Number(process.env.HATCHET_TEST_SEED ?? keptSeed),
    numRuns: numRuns * Number(process.env.HATCHET_TEST_FUZZ ?? 1),
  };
}
