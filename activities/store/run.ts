// Which runs were shown to people, what was each, and is it over?
import { z } from 'zod';
import type { PlanId, RunId } from '../../workflows/model/identifiers.ts';
import { parsePlanId, parseRunId } from '../../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { Sql } from './connection.ts';
import { repositorySchema } from './documents.ts';

/** A run that a picture of a pull request names. */
export type ShownRun = {
  readonly id: RunId;
  readonly kind: 'plan' | 'apply';
  readonly project: string;
  readonly running: boolean;
};

/** `endedAt`: when a picture first showed it as over; null while it runs. Times are ISO 8601. */
export type RunRecord = Omit<ShownRun, 'running'> & {
  readonly ref: PullRequestRef;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** The plan that it made. */
  readonly planId: PlanId | null;
};

export type Runs = {
  /**
   * Remembers the runs of a picture; whatever else ran for that pull request is over. Answers when each was first
   * shown, which never changes.
   */
  note(ref: PullRequestRef, runs: readonly ShownRun[]): Promise<ReadonlyMap<RunId, string>>;
  find(id: RunId): Promise<RunRecord | null>;
};

/** No run has it: a list for `in` must not be empty. */
const nobody = '00000000-0000-0000-0000-000000000000';
const columns = ['id', 'repository_id', 'number', 'repository', 'project', 'kind', 'ended_at'] as const;

const time = z.date().transform((date) => date.toISOString());
const id = z.string().transform(parseRunId);
const noted = z.array(z.object({ id, startedAt: time }));
const records = z
  .array(
    z.object({
      id,
      kind: z.enum(['plan', 'apply']),
      project: z.string(),
      repository: repositorySchema,
      number: z.number(),
      startedAt: time,
      endedAt: time.nullable(),
      planId: z.string().transform(parsePlanId).nullable(),
    }),
  )
  .max(1);

export function createRuns(sql: Sql): Runs {
  return {
    async note(ref, runs) {
      const rows = runs.map((run) => rowOf(ref, run));
      const running = [nobody, ...runs.filter((run) => run.running).map((run) => run.id)];
      const over = sql`update run set ended_at = now() where repository_id = ${ref.repository.id}
        and number = ${ref.number} and ended_at is null and id not in ${sql(running)}`;
      if (rows.length === 0) {
        await over;
        return new Map();
      }
      const known = sql`with fresh as (
          insert into run ${sql(rows, columns)} on conflict (id) do nothing returning id, started_at
        )
        select id, started_at as "startedAt" from fresh
        union select id, started_at from run where id in ${sql(rows.map((row) => row.id))}`;
      const [found] = await Promise.all([known, over]);
      return new Map(noted.parse(found).map((run) => [run.id, run.startedAt]));
    },
    async find(wanted) {
      const [row] = records.parse(
        await sql`select run.id, run.kind, run.project, run.repository, run.number,
            run.started_at as "startedAt", run.ended_at as "endedAt", plan.id as "planId"
          from run left join plan on plan.run_id = run.id where run.id = ${wanted}
          order by plan.created_at desc limit 1`,
      );
      if (row === undefined) return null;
      const { repository, number, ...rest } = row;
      return { ...rest, ref: { repository, number } };
    },
  };
}

function rowOf({ repository, number }: PullRequestRef, { id, kind, project, running }: ShownRun) {
  return {
    id,
    repository_id: repository.id,
    number,
    repository,
    // PostgreSQL's text holds every character but this one.
    project: project.replaceAll('\u0000', ''),
    kind,
    ended_at: running ? null : new Date(),
  };
}
