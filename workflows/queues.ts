// Which task queue does which work?

/** Workflows, GitHub, the store, policies. */
export const controlQueue = 'hatchet-control';

/** Terraform. One queue per pool of runners. */
export const runnerQueue = (pool: string): string => `hatchet-runner-${pool}`;
