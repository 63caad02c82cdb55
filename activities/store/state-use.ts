// Which projects of a repository plan with which states?
import { z } from 'zod';
import type { RepositoryId } from '../../workflows/model/identifiers.ts';
import type { ProjectPlace } from '../../workflows/port/record.ts';
import type { Sql } from './connection.ts';

/**
 * One project's newest plan: of an open pull request, of all that were merged, or of all that were closed. What is not
 * merged may have had it planned with another state than it has.
 */
export type StateUse = ProjectPlace & {
  readonly name: string;
  readonly number: number;
  /** Terraform's name of the state; null: there was none yet, or it could not be read. */
  readonly lineage: string | null;
  /** The pull request is open, and something of it was applied to the project. */
  readonly appliedUnmerged: boolean;
};

export type StateUses = {
  /** Those that were ever planned. */
  find(repositoryId: RepositoryId): Promise<readonly StateUse[]>;
};

const rows = z.array(
  z.object({
    dir: z.string(),
    workspace: z.string(),
    name: z.string(),
    number: z.number(),
    lineage: z
      .string()
      .transform((quoted) => z.string().parse(JSON.parse(quoted)))
      .nullable(),
    appliedUnmerged: z.boolean(),
  }),
) satisfies z.ZodType<StateUse[]>;

/**
 * Documents are looked at as texts: PostgreSQL refuses to take one apart that has a NUL in it. Within a string a quote is
 * escaped, so that no title can pass for a key.
 */
const lineagePattern = String.raw`"state" ?: ?[{] ?"lineage" ?: ?("(?:[^"\\]|\\.)*")`;

export function createStateUses(sql: Sql): StateUses {
  return {
    async find(repositoryId) {
      return rows.parse(
        await sql`with newest as (
            select distinct on (dir, workspace, part) id, open, part from (
              select plan.id, plan.dir, plan.workspace, plan.created_at, coalesce(known.open, false) as open,
                case when known.open then plan.number when known.merge_commit is null then -1 else 0 end as part
              from plan left join pull_request known
                on known.repository_id = plan.repository_id and known.number = plan.number
              where plan.repository_id = ${repositoryId}
            ) made order by dir, workspace, part, created_at desc
          )
          select dir, workspace, project as name, number,
            substring(document::text from ${lineagePattern}) as lineage,
            open and exists (select from apply where apply.repository_id = plan.repository_id
              and apply.dir = plan.dir and apply.workspace = plan.workspace and apply.number = plan.number
              and apply.state <> 'refused') as "appliedUnmerged"
          from newest join plan using (id)
          order by dir, workspace, part`,
      );
    },
  };
}
