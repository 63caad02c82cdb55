// How are plans kept and found again?
import { z } from 'zod';
import type { PlanId } from '../../workflows/model/identifiers.ts';
import { operatorError } from '../faults.ts';
import type { PlanBytes, RunStore, StoredPlan } from '../run-store.ts';
import type { Artifact, Artifacts, Keyring } from './artifact.ts';
import { artifactColumns, sealArtifact } from './artifact.ts';
import { createClaims } from './claim.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';
import { planChangesSchema, planMasksSchema, storedPlanSchema } from './documents.ts';

const planRows = z.array(z.object({ document: storedPlanSchema })).max(1);

export function createRunStore(sql: Sql, keyring: Keyring, artifacts: Artifacts): RunStore {
  const claims = createClaims(sql);
  const readPlan: RunStore['readPlan'] = async (id) => {
    const [row] = planRows.parse(await sql`select document from plan where id = ${id}`);
    if (row === undefined) throw operatorError(`plan ${id} is not in the store`);
    return row.document;
  };
  const readPlanFile: RunStore['readPlanFile'] = async (id) => {
    const [planFile, lockFile] = await Promise.all([
      artifacts.read({ id, kind: 'plan-file' }),
      artifacts.find({ id, kind: 'lock-file' }),
    ]);
    return { planFile, lockFile };
  };
  return {
    readPlan,
    async savePlan(stored, bytes) {
      const rows = artifactsOf(stored.plan.id, bytes).map((artifact) => sealArtifact(keyring, artifact));
      const inserted = await insertPlan(sql, stored, await Promise.all(rows));
      if (inserted === 0) refuseOther(await readPlan(stored.plan.id), stored);
    },
    readPlanFile,
    async takePlanFile(taking) {
      const [taken, files] = await Promise.all([claims.take(taking), readPlanFile(taking.planId)]);
      return taken === 'yours' ? files : taken;
    },
    readPlanJson: (id) => artifacts.read({ id, kind: 'plan-json' }),
    async readPlanMasks(id) {
      const masks = await artifacts.find({ id, kind: 'plan-masks' });
      return masks === null ? [] : planMasksSchema.parse(JSON.parse(masks.toString('utf8')));
    },
    async readPlanChanges(id) {
      const changes = await artifacts.read({ id, kind: 'changes' });
      return planChangesSchema.parse(JSON.parse(changes.toString('utf8')));
    },
    async saveLog(id, clear) {
      await artifacts.save({ id, kind: 'log', clear });
      await sql`delete from log_chunk where run_id = ${id}`;
    },
    async addLog(id, clear) {
      await artifacts.add({ id, kind: 'log', clear });
      await sql`delete from log_chunk where run_id = ${id}`;
    },
    readLog: (id) => artifacts.read({ id, kind: 'log' }),
    saveErroredState: (id, clear) => artifacts.add({ id, kind: 'errored-state', clear }),
  };
}

function artifactsOf(id: PlanId, bytes: PlanBytes): readonly Artifact[] {
  return [
    { id, kind: 'plan-file', clear: bytes.planFile },
    { id, kind: 'plan-json', clear: bytes.planJson },
    { id, kind: 'log', clear: bytes.log },
    { id, kind: 'changes', clear: Buffer.from(asJson(bytes.changes)) },
    // Most plans hold none.
    ...(bytes.masks.length === 0
      ? []
      : [{ id, kind: 'plan-masks' as const, clear: Buffer.from(asJson(bytes.masks)) }]),
    ...(bytes.lockFile === null ? [] : [{ id, kind: 'lock-file' as const, clear: bytes.lockFile }]),
  ];
}

/** One statement, so one transaction. How many plans it inserted: none when the id is there already. */
async function insertPlan(
  sql: Sql,
  stored: StoredPlan,
  artifacts: readonly Awaited<ReturnType<typeof sealArtifact>>[],
): Promise<number> {
  const { plan, repository, number, planFileSha256 } = stored;
  const { project, id, digest } = plan;
  const inserted = await sql`
    with bytes as (
      insert into artifact ${sql([...artifacts], artifactColumns)} on conflict do nothing
    ), followed as (
      delete from log_chunk where run_id = ${plan.runId}
    )
    insert into plan (id, run_id, repository_id, number, project, dir, workspace, digest, plan_file_sha256, document)
    values (${id}, ${plan.runId}, ${repository.id}, ${number}, ${project.name}, ${project.dir}, ${project.workspace},
      ${digest}, ${planFileSha256}, ${asJson(stored)}::text::json)
    on conflict do nothing`;
  return inserted.count;
}

/** Repeating a save is fine; another plan under a used id would be applied in place of the reviewed one. */
function refuseOther(found: StoredPlan, wanted: StoredPlan): void {
  const same = found.plan.digest === wanted.plan.digest && found.planFileSha256 === wanted.planFileSha256;
  if (!same) throw operatorError(`plan ${wanted.plan.id} is in the store already, with another content`);
}
