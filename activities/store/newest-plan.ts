// Which plan did a pull request make last, and could people see it there?
import { z } from 'zod';
import type { PlanDigest, RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import { parsePlanDigest } from '../../workflows/model/identifiers.ts';
import type { Sql } from './connection.ts';
import { storedPlanSchema } from './documents.ts';

/** `shown`: a plan of this digest was there when the comment was last written. */
export type NewestPlan = { readonly digest: PlanDigest; readonly shown: boolean };

export type NewestPlans = {
  /** Null when the pull request never planned the project. */
  find(place: {
    readonly repositoryId: RepositoryId;
    readonly number: number;
    readonly project: string;
  }): Promise<NewestPlan | null>;
  /** Was any project of the pull request ever planned at this head? */
  wasPlanned(place: {
    readonly repositoryId: RepositoryId;
    readonly number: number;
    readonly head: Sha;
  }): Promise<boolean>;
};

const rows = z
  .array(z.object({ digest: z.string().transform(parsePlanDigest), shown: z.boolean() }))
  .max(1) satisfies z.ZodType<NewestPlan[]>;

const documentRows = z.array(z.object({ document: storedPlanSchema }));
/** A head is planned once or twice; what was planned long ago says nothing of it. */
const maxPlansLookedAt = 500;

export function createNewestPlans(sql: Sql): NewestPlans {
  return {
    async find({ repositoryId, number, project }) {
      const found = await sql`select newest.digest, exists (
            select 1 from plan seen join shown on shown.repository_id = seen.repository_id
              and shown.number = seen.number and shown.key = 'comment'
            where seen.repository_id = newest.repository_id and seen.number = newest.number
              and seen.project = newest.project and seen.digest = newest.digest
              and seen.created_at <= shown.written_at) as shown
        from plan newest
        where newest.repository_id = ${repositoryId} and newest.number = ${number}
          and newest.project = ${project}
        order by newest.created_at desc limit 1`;
      return rows.parse(found)[0] ?? null;
    },
    async wasPlanned({ repositoryId, number, head }) {
      const found = await sql`select document from plan
        where repository_id = ${repositoryId} and number = ${number}
        order by created_at desc limit ${maxPlansLookedAt}`;
      return documentRows.parse(found).some(({ document }) => document.plan.head === head);
    },
  };
}
