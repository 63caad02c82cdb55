// How far did an apply get?
import type { TerraformEvent } from './event.ts';

export type ApplyProgress = {
  readonly note: (event: TerraformEvent) => void;
  /** Resources that are as planned now. */
  readonly done: () => number;
  /** Terraform has begun to change something. */
  readonly hasStarted: () => boolean;
};

/** A replacement is done when both its halves are. */
export function createApplyProgress(): ApplyProgress {
  const stepsLeft = new Map<string, number>();
  let started = false;
  const note = (event: TerraformEvent) => {
    if (event.kind === 'planned') stepsLeft.set(event.address, event.action === 'replace' ? 2 : 1);
    if (!('action' in event) || event.kind === 'planned' || event.action === 'read') return;
    started = true;
    const left = stepsLeft.get(event.address) ?? 1;
    if (event.kind === 'completed') stepsLeft.set(event.address, left - 1);
  };
  return {
    note,
    done: () => [...stepsLeft.values()].filter((left) => left <= 0).length,
    hasStarted: () => started,
  };
}
