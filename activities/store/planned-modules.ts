// Which modules was the newest plan of each project made from?
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { PlannedModules } from '../source/planned-modules.ts';
import type { Sql } from './connection.ts';
import { storedPlanSchema } from './documents.ts';

const rows = z.array(z.object({ dir: z.string(), workspace: z.string(), document: storedPlanSchema }));

/** One entry for each project that was ever planned, of whichever pull request. */
export function createPlannedModules(sql: Sql) {
  return async (repositoryId: RepositoryId): Promise<readonly PlannedModules[]> => {
    const found = await sql`select dir, workspace, document from plan where id in (
        select distinct on (dir, workspace) id from plan where repository_id = ${repositoryId}
        order by dir, workspace, created_at desc)`;
    return rows
      .parse(found)
      .map(({ dir, workspace, document: { moduleDirs } }) => ({ dir, workspace, moduleDirs }));
  };
}
