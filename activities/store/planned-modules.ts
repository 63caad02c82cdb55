// Which modules was the newest plan of each project made from?
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { PlannedModules, PlannedPlace } from '../source/planned-modules.ts';
import { asJson, type Sql } from './connection.ts';
import { storedPlanSchema } from './documents.ts';

const rows = z.array(
  z.object({
    dir: z.string(),
    workspace: z.string(),
    document: storedPlanSchema.pick({ moduleDirs: true, missedModules: true }),
  }),
);

/** As `JSON.stringify` writes a list that is not empty; inside of a text its quotes are escaped. */
const someMissed = '"missedModules":["';

/**
 * Of whichever pull request. One row is looked up for each place, and read where it says something: a repository of
 * hundreds of projects is looked into often, and nearly never was a module missed.
 */
export function createPlannedModules(sql: Sql) {
  return async (
    repositoryId: RepositoryId,
    places: readonly PlannedPlace[],
  ): Promise<readonly PlannedModules[]> => {
    // What is no Unicode was never planned, and no database takes it.
    const asked = places.filter(({ dir }) => dir.isWellFormed());
    const found = await sql`
      select place.dir, place.workspace, newest.document
      from json_to_recordset(${asJson(asked)}::text::json) as place (dir text, workspace text, uncertain boolean)
      cross join lateral (
        select document from plan
        where repository_id = ${repositoryId} and plan.dir = place.dir and plan.workspace = place.workspace
        order by created_at desc limit 1) as newest
      where place.uncertain or strpos(newest.document::text, ${someMissed}) > 0`;
    return rows.parse(found).map(({ dir, workspace, document }) => ({ dir, workspace, ...document }));
  };
}
