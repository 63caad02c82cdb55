// Which runs were shown to people, what was each, and is it over?
import { z } from 'zod';
import type { ApplyTrigger } from '../../workflows/model/apply.ts';
import type { PlanId, RunId } from '../../workflows/model/identifiers.ts';
import { parsePlanId, parseRunId } from '../../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { ApplyState } from './apply.ts';
import type { Sql } from './connection.ts';
import { repositorySchema } from './documents.ts';

/** A run that a picture of a pull request names. */
export type ShownRun = {
  readonly id: RunId;
  readonly kind: 'plan' | 'apply';
  /** Empty where it failed before its projects were known. */
  readonly project: string;
  readonly running: boolean;
  /** Why it failed; on its page, where no runner ever wrote a log of it. */
  readonly said?: string;
};

/** `endedAt`: when a picture first showed it as over; null while it runs. Times are ISO 8601. */
export type RunRecord = Omit<ShownRun, 'running' | 'said'> & {
  readonly ref: PullRequestRef;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** The plan that it made or applies; null while there is none. */
  readonly planId: PlanId | null;
  readonly planRunId: RunId | null;
  readonly plannedAt: string | null;
  /** The policies have answered. */
  readonly judged: boolean;
  /** Its own log is kept: a plan that failed, or an apply. */
  readonly logKept: boolean;
  /** The apply that it is, or that the plan went into. */
  readonly apply: RunApply | null;
};

export type RunApply = {
  readonly runId: RunId;
  readonly state: ApplyState;
  readonly begunAt: string;
  readonly finishedAt: string | null;
  readonly trigger: ApplyTrigger['kind'];
  readonly actor: string;
  /** Logins of those who had approved. */
  readonly approvedBy: readonly string[];
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
      planRunId: id.nullable(),
      plannedAt: time.nullable(),
      judged: z.boolean(),
      logKept: z.boolean(),
      applyRunId: id.nullable(),
      state: z.enum(['begun', 'applied', 'failed', 'refused', 'unknown']).nullable(),
      begunAt: time.nullable(),
      finishedAt: time.nullable(),
      facts: z
        .object({
          trigger: z.object({ kind: z.enum(['merge', 'comment', 'button']), actor: z.string() }),
          approvals: z.array(z.object({ actor: z.object({ login: z.string() }) })),
        })
        .nullable(),
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
            run.started_at as "startedAt", run.ended_at as "endedAt",
            plan.id as "planId", plan.run_id as "planRunId", plan.created_at as "plannedAt",
            exists (select from verdict where plan_id = plan.id) as judged,
            exists (select from artifact where artifact.id = run.id and artifact.kind = 'log') as "logKept",
            apply.run_id as "applyRunId", apply.state, apply.begun_at as "begunAt",
            apply.finished_at as "finishedAt", apply.grant_facts as facts
          from run
          left join apply as own on own.run_id = run.id
          left join plan on plan.run_id = run.id or plan.id = own.plan_id
          left join apply on apply.plan_id = plan.id
          where run.id = ${wanted} order by plan.created_at desc limit 1`,
      );
      return row === undefined ? null : recordOf(row);
    },
  };
}

function recordOf(row: z.infer<typeof records>[number]): RunRecord {
  const { repository, number, applyRunId, state, begunAt, finishedAt, facts, ...rest } = row;
  const begun = applyRunId !== null && state !== null && begunAt !== null && facts !== null;
  const apply = begun
    ? {
        runId: applyRunId,
        state,
        begunAt,
        finishedAt,
        trigger: facts.trigger.kind,
        actor: facts.trigger.actor,
        approvedBy: facts.approvals.map(({ actor }) => actor.login),
      }
    : null;
  return { ...rest, ref: { repository, number }, apply };
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
