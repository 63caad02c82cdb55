// Where do runner tests keep their plans? In a store that lives as long as the test.
import { operatorError } from '../activities/faults.ts';
import type { LogSink, PlanBytes, RunStore, StoredPlan } from '../activities/run-store.ts';

export type MemoryRunStore = RunStore & {
  readonly plans: Map<string, { readonly stored: StoredPlan; readonly bytes: PlanBytes }>;
  readonly logs: Map<string, string>;
  readonly erroredStates: Map<string, string>;
  readonly live: LogSink;
  /** What was followed of each run, chunk by chunk. */
  readonly chunks: Map<string, string[]>;
};

export function createMemoryRunStore(): MemoryRunStore {
  const plans: MemoryRunStore['plans'] = new Map();
  const logs: MemoryRunStore['logs'] = new Map();
  const erroredStates: MemoryRunStore['erroredStates'] = new Map();
  const chunks: MemoryRunStore['chunks'] = new Map();
  const takers = new Map<string, string>();
  const found = (id: string) => {
    const plan = plans.get(id);
    if (plan === undefined) throw operatorError(`plan ${id} is not in the store`);
    return plan;
  };
  return {
    plans,
    logs,
    erroredStates,
    chunks,
    live: {
      append: async (runId, seq, text) => {
        const written = chunks.get(runId) ?? [];
        written[seq] = text;
        chunks.set(runId, written);
      },
    },
    savePlan: async (stored, bytes) => {
      plans.set(stored.plan.id, { stored, bytes });
    },
    readPlan: async (id) => found(id).stored,
    readPlanFile: async (id) => found(id).bytes,
    takePlanFile: async ({ planId, runId, taker }) => {
      if ((takers.get(runId) ?? taker) !== taker) return null;
      takers.set(runId, taker);
      return found(planId).bytes;
    },
    readPlanJson: async (id) => found(id).bytes.planJson,
    readPlanMasks: async (id) => found(id).bytes.masks,
    readPlanChanges: async (id) => found(id).bytes.changes,
    saveLog: async (runId, log) => {
      logs.set(runId, log.toString());
    },
    addLog: async (runId, log) => {
      if (!logs.has(runId)) logs.set(runId, log.toString());
    },
    readLog: async (runId) => Buffer.from(logs.get(runId) ?? ''),
    saveErroredState: async (runId, state) => {
      if (!erroredStates.has(runId)) erroredStates.set(runId, state.toString());
    },
  };
}
