// How many plans and applies does one runner work on at once?

/** Terraform and its providers keep a core busy; a few more wait for the network. */
const slotsPerCore = 2;

/** Pools share the machine, so each has its part; none is left without. */
export function slotsPerPool(cores: number, pools: number): number {
  return Math.max(1, Math.floor((cores * slotsPerCore) / pools));
}
