// Which states could Terraform not write that nobody has put back or given up?
import { z } from 'zod';
import type { RepositoryId, RunId } from '../../workflows/model/identifiers.ts';
import { parseRunId } from '../../workflows/model/identifiers.ts';
import type { UnwrittenState } from '../../workflows/model/unwritten-state.ts';
import type { ProjectPlace } from '../../workflows/port/record.ts';
import type { ProjectKey } from './apply.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

export type UnwrittenStates = {
  /** The oldest one of each of these projects. */
  find(
    repositoryId: RepositoryId,
    places: readonly ProjectPlace[],
  ): Promise<readonly (ProjectPlace & UnwrittenState)[]>;
  /** What this apply left; null when that is nothing, or settled. */
  ofRun(runId: RunId): Promise<UnwrittenState | null>;
  /** A person who unlocks the project has looked at what is there. */
  giveUp(project: ProjectKey, actor: string): Promise<void>;
};

const columns = {
  runId: z.string().transform(parseRunId),
  number: z.number(),
  kept: z.boolean(),
};
const rows = z.array(z.object({ ...columns, dir: z.string(), workspace: z.string() }));
const runRows = z.array(z.object(columns)).max(1);

export function createUnwrittenStates(sql: Sql): UnwrittenStates {
  return {
    async find(repositoryId, places) {
      if (places.length === 0) return [];
      const wanted = places.map(({ dir, workspace }) => ({ dir, workspace }));
      return rows.parse(
        await sql`select distinct on (dir, workspace) run_id as "runId", number, kept, dir, workspace
          from unwritten_state
          where repository_id = ${repositoryId} and (dir, workspace) in
            (select dir, workspace from json_to_recordset(${asJson(wanted)}::text::json) as place(dir text, workspace text))
          order by dir, workspace, begun_at`,
      );
    },
    async ofRun(runId) {
      const found =
        await sql`select run_id as "runId", number, kept from unwritten_state where run_id = ${runId}`;
      return runRows.parse(found)[0] ?? null;
    },
    async giveUp({ repositoryId, dir, workspace }, actor) {
      await sql`insert into settled_state (run_id, how, actor)
        select run_id, 'given up', ${actor} from unwritten_state
        where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace}
        on conflict (run_id) do nothing`;
    },
  };
}
