// What is applied to a project that no merge contains? Of pull requests that were applied and then closed.
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { LeftBehind } from '../../workflows/port/inspection.ts';
import type { ProjectPlace } from '../../workflows/port/record.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';

export type LeftBehinds = {
  /**
   * Of these projects. A pull request counts until a merged one was applied later, or until the last plan that a merged
   * one made later shows no difference: then the project is what the base branch says.
   */
  find(repositoryId: RepositoryId, places: readonly ProjectPlace[]): Promise<readonly LeftBehind[]>;
};

const rows = z.array(
  z.object({ dir: z.string(), workspace: z.string(), numbers: z.array(z.number()) }),
) satisfies z.ZodType<LeftBehind[]>;

export function createLeftBehinds(sql: Sql): LeftBehinds {
  return {
    async find(repositoryId, places) {
      if (places.length === 0) return [];
      const wanted = places.map(({ dir, workspace }) => ({ dir, workspace }));
      return rows.parse(
        await sql`select dir, workspace, json_agg(distinct number) as numbers
          from unmerged_apply
          where repository_id = ${repositoryId} and (dir, workspace) in
            (select dir, workspace from json_to_recordset(${asJson(wanted)}::text::json) as place(dir text, workspace text))
          group by dir, workspace`,
      );
    },
  };
}
