// Who hears that what a lost apply had left has reached the store?
import type { Logger } from 'pino';
import type { RunId } from '../workflows/model/identifiers.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { RunStore } from './run-store.ts';
import type { Store } from './store/store.ts';

export type ArrivalDependencies = {
  readonly store: Pick<Store, 'runs' | 'applies'>;
  readonly messenger: Pick<ControlActivities, 'askProjects' | 'tellNews'>;
  readonly log: Pick<Logger, 'warn'>;
};

/**
 * The same store. A runner brings these only when its Terraform has come to its end: whoever looks at what a lost apply
 * has done looks again, and finds that in the record; whoever asked for it hears that its state is kept.
 */
export function tellingArrivals(deps: ArrivalDependencies): RunStore {
  const { runs } = deps.store;
  return {
    ...runs,
    async saveLog(runId, log) {
      await runs.saveLog(runId, log);
      await tell(deps, runId, { hasState: false, ordinary: true });
    },
    async addLog(runId, log) {
      await runs.addLog(runId, log);
      await tell(deps, runId, { hasState: false, ordinary: false });
    },
    async saveErroredState(runId, state) {
      await runs.saveErroredState(runId, state);
      await tell(deps, runId, { hasState: true, ordinary: false });
    },
  };
}

/**
 * What has arrived is kept, whether anybody hears of it or not: the next look finds it. `ordinary`: every apply brings it
 * in the end, and only of a lost one nobody knows that it did.
 */
async function tell(
  { store: { applies, runs }, messenger, log }: ArrivalDependencies,
  runId: RunId,
  { hasState, ordinary }: { readonly hasState: boolean; readonly ordinary: boolean },
): Promise<void> {
  try {
    if (ordinary && (await applies.find(runId))?.state !== 'unknown') return;
    const found = await applies.findAsked(runId);
    if (found === null) return;
    const { grant, asked } = found;
    const { repository } = await runs.readPlan(grant.planId);
    const { name, dir, workspace } = grant.project;
    const ref = { repository, number: grant.number };
    const request = { kind: 'look-again', ref } as const;
    await messenger.askProjects({ repository, asked: [{ project: { dir, workspace }, request }] });
    if (!hasState) return;
    const news = { kind: 'state-kept', project: name, runId } as const;
    await messenger.tellNews({ workflowId: asked.replyTo, news });
  } catch (error) {
    log.warn({ err: error, run: runId }, 'nobody was told that something of a lost apply has arrived');
  }
}
