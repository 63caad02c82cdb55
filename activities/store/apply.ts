// May this apply begin, and what came of it? The fence that lets each plan be applied at most once.
import { z } from 'zod';
import type { ApplyGrant, ApplyOutcome, Refusal } from '../../workflows/model/apply.ts';
import type { PlanId, RepositoryId, RunId, Sha } from '../../workflows/model/identifiers.ts';
import { parsePlanId, parseRunId, parseSha } from '../../workflows/model/identifiers.ts';
import type { AskedApply, UnfinishedApply } from '../../workflows/port/begun-apply.ts';
import { operatorError } from '../faults.ts';
import type { Sql } from './connection.ts';
import { asJson } from './connection.ts';
import { diagnosticSchema } from './documents.ts';

/** `fence` grows with every apply of a project. */
export type BeginRequest = {
  readonly runId: RunId;
  readonly repositoryId: RepositoryId;
  readonly fence: number;
  /** The merge commit or, before a merge, the base that the pull request stands on. */
  readonly baseCommit: Sha;
  readonly grant: ApplyGrant;
  readonly asked: AskedApply;
};

/**
 * `begun-before`: by this very run in the same life of its workflow, whose answer got lost. `already-applied`: this plan, or an earlier plan of the
 * same digest that this one does not know of yet. `plan-used`: it was tried and failed, so a new plan is needed.
 * `unfinished`: another apply of the project has begun and not reported, or nobody has decided what becomes of it. `newer-fence`: a later one has been here.
 * `changed-since`, `applied-elsewhere`: an apply of this or of another pull request ended after the plan was made.
 * `too-old`: the plan was made more than `maxPlanAgeDays` ago.
 */
export type BeginAnswer =
  | 'begun'
  | 'begun-before'
  | 'already-applied'
  | 'plan-used'
  | 'unfinished'
  | 'newer-fence'
  | 'changed-since'
  | 'applied-elsewhere'
  | 'too-old';

/**
 * Whoever said yes to a plan knew the world of that day, and what a plan does not show goes on changing. Its file is
 * kept for longer.
 */
export const maxPlanAgeDays = 21;

/** Who changed a project last, and on which commit of the base branch that stood. */
export type LastChange = {
  readonly number: number;
  readonly baseCommit: Sha;
  /** Not `applied`: it came half way, or nobody knows how far. */
  readonly state: 'applied' | 'failed' | 'unknown';
};

/** `kept`: something else was recorded before and stays. */
export type RecordAnswer = 'recorded' | 'kept' | 'never-begun';

export type ApplyState = 'begun' | ApplyOutcome['kind'];

export type ApplyRecord = {
  readonly runId: RunId;
  readonly planId: PlanId;
  readonly fence: number;
  readonly state: ApplyState;
  readonly outcome: ApplyOutcome | null;
};

export type ProjectKey = {
  readonly repositoryId: RepositoryId;
  readonly dir: string;
  readonly workspace: string;
};

export type Applies = {
  /** One transaction. OperatorError: no such plan, or the run began with another one or in an earlier life. */
  begin(request: BeginRequest): Promise<BeginAnswer>;
  /** Repeating it changes nothing. An unknown outcome may become known later; a known one never changes. */
  record(runId: RunId, outcome: ApplyOutcome): Promise<RecordAnswer>;
  /**
   * Writes the outcome of a run that was not carried out, where this life has begun it and no runner has taken it, or
   * nobody has begun it; what another life has begun, or a runner has taken, becomes unknown. What is recorded then.
   */
  recordUnbegun(runId: RunId, life: string | null, outcome: ApplyOutcome): Promise<ApplyOutcome>;
  find(runId: RunId): Promise<ApplyRecord | null>;
  /**
   * Its runner has said that its Terraform has come to its end, or was never started: it keeps the log of an apply, and a
   * state that could not be written, only then.
   */
  isOver(runId: RunId): Promise<boolean>;
  /** What was granted, and to whom it is told; null: it never began, or an earlier version has begun it. */
  findAsked(runId: RunId): Promise<{ readonly grant: ApplyGrant; readonly asked: AskedApply } | null>;
  /**
   * The apply of the project that has begun and not reported, or of which nobody knows and nobody has decided what it has
   * done; null also when an earlier version has begun it.
   */
  findUnfinished(project: ProjectKey): Promise<Omit<UnfinishedApply, 'lostWaitMs'> | null>;
  /** Null when nothing was applied since this is recorded. A failed apply that had begun to change something counts. */
  lastChange(project: ProjectKey): Promise<LastChange | null>;
  /**
   * Gives up on an apply of the project that began and will never report, or of which nobody knows what it has done,
   * because a person said `unlock`: its outcome stays unknown, and others may begin. The run that was given up, or null.
   */
  abandon(project: ProjectKey, reason: string): Promise<RunId | null>;
};

const answers = z.tuple([
  z.object({
    answer: z.enum([
      'begun',
      'begun-before',
      'already-applied',
      'plan-used',
      'unfinished',
      'newer-fence',
      'changed-since',
      'applied-elsewhere',
      'too-old',
      'no-such-plan',
      'run-used',
    ]),
  }),
]);

export function createApplies(sql: Sql): Applies {
  return {
    begin: (request) => begin(sql, request),
    record: (runId, outcome) => record(sql, runId, outcome),
    recordUnbegun: (runId, life, outcome) => recordUnbegun(sql, { runId, life, outcome }),
    find: (runId) => find(sql, runId),
    async isOver(runId) {
      const { count } = await sql`select from artifact
        where id = ${runId} and kind in ('log', 'errored-state') limit 1`;
      return count > 0;
    },
    async findAsked(runId) {
      const found = await sql`select grant_facts as facts from apply
        where run_id = ${runId} and grant_facts -> 'asked' is not null`;
      const [row] = factsRows.parse(found);
      if (row === undefined) return null;
      const { asked, ...grant } = row.facts;
      return { grant, asked };
    },
    async findUnfinished({ repositoryId, dir, workspace }) {
      const found = await sql`select run_id as "runId", number, grant_facts as facts,
          case when state = 'unknown' then outcome end as outcome, finished_at as "lostAt"
        from apply as lost
        where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace}
          and grant_facts -> 'asked' is not null and (state = 'begun' or ${isUndecided(sql)})`;
      const [row] = unfinishedRows.parse(found);
      if (row === undefined) return null;
      const { runId, number, facts, outcome, lostAt } = row;
      const { asked, ...grant } = facts;
      const lost = outcome === null || lostAt === null ? null : { at: lostAt.toISOString(), outcome };
      return { runId, number, grant, asked, lost };
    },
    async lastChange({ repositoryId, dir, workspace }) {
      const found = await sql`select number, base_commit as "baseCommit", state from apply
        where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace}
          and base_commit is not null
          and (state in ('applied', 'unknown') or (state = 'failed' and outcome::text ~ '"done" ?: ?[1-9]'))
        order by fence desc limit 1`;
      return changeRows.parse(found)[0] ?? null;
    },
    async abandon({ repositoryId, dir, workspace }, reason) {
      const [row] = runRows.parse(
        await sql`update apply as lost set state = 'unknown',
            finished_at = coalesce(finished_at, clock_timestamp()),
            outcome = (coalesce(outcome::jsonb,
              jsonb_build_object('kind', 'unknown', 'runId', run_id, 'reason', ${reason}::text))
              || '{"givenUp": true}')::json
          where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace}
            and (state = 'begun' or ${isUndecided(sql)})
          returning run_id as "runId"`,
      );
      return row?.runId ?? null;
    },
  };
}

/**
 * Of a row that is called `lost`: nobody knows what it has done, nobody has decided what becomes of that, and nothing has
 * begun since.
 */
const isUndecided = (sql: Sql) => sql`(lost.state = 'unknown' and lost.outcome -> 'givenUp' is null
  and not exists (select from apply as later where later.repository_id = lost.repository_id
    and later.dir = lost.dir and later.workspace = lost.workspace and later.fence > lost.fence))`;

async function begin(
  sql: Sql,
  { runId, repositoryId, fence, baseCommit, grant, asked }: BeginRequest,
): Promise<BeginAnswer> {
  const { planId, digest, number, project } = grant;
  const { dir, workspace } = project;
  const [{ answer }] = answers.parse([
    ...(await sql`select case when exists (select from apply as lost
        where repository_id = ${repositoryId} and dir = ${dir} and workspace = ${workspace} and ${isUndecided(sql)})
      then 'unfinished' else begin_apply(${runId}, ${planId}, ${repositoryId}, ${number}, ${digest}, ${fence},
        ${baseCommit}, make_interval(days => ${maxPlanAgeDays}), ${asJson({ ...grant, asked })}::text::json)
      end as answer`),
  ]);
  if (answer === 'no-such-plan') throw operatorError(`the store has no plan ${planId} as it was granted`);
  const used =
    answer === 'run-used' || (answer === 'begun-before' && !(await isOfLife(sql, runId, asked.life)));
  if (used) throw operatorError(`run ${runId} was begun before, or is over`);
  return answer;
}

async function isOfLife(sql: Sql, runId: RunId, life: string): Promise<boolean> {
  const found = await sql`select from apply
    where run_id = ${runId} and grant_facts -> 'asked' ->> 'life' = ${life}`;
  return found.count === 1;
}

async function recordUnbegun(
  sql: Sql,
  {
    runId,
    life,
    outcome,
  }: { readonly runId: RunId; readonly life: string | null; readonly outcome: ApplyOutcome },
): Promise<ApplyOutcome> {
  const updated = await sql`
    update apply set state = ${outcome.kind}, outcome = ${asJson(outcome)}::text::json,
      finished_at = clock_timestamp()
    where run_id = ${runId} and state = 'begun' and taken_by is null
      and grant_facts -> 'asked' ->> 'life' = ${life}`;
  if (updated.count === 1) return outcome;
  const ours = life !== null && (await isOfLife(sql, runId, life));
  const reason = ours
    ? 'a runner had taken it, and has not said what came of it'
    : 'the workflow that had begun it is gone';
  const lost: ApplyOutcome = { kind: 'unknown', runId, reason };
  if ((await record(sql, runId, lost)) === 'never-begun') return outcome;
  return (await find(sql, runId))?.outcome ?? lost;
}

async function record(sql: Sql, runId: RunId, outcome: ApplyOutcome): Promise<RecordAnswer> {
  const { kind } = outcome;
  const updated = await sql`
    update apply set state = ${kind}, outcome = ${asJson(outcome)}::text::json, finished_at = clock_timestamp()
    where run_id = ${runId} and (state = 'begun' or (state = 'unknown' and ${kind} <> 'unknown'))`;
  if (updated.count === 1) return 'recorded';
  const found = await find(sql, runId);
  if (found === null) return 'never-begun';
  return found.state === kind ? 'recorded' : 'kept';
}

async function find(sql: Sql, runId: RunId): Promise<ApplyRecord | null> {
  const found = await sql`select run_id as "runId", plan_id as "planId", fence, state, outcome
    from apply where run_id = ${runId}`;
  return applyRows.parse(found)[0] ?? null;
}

const run = z.string().transform(parseRunId);
const changeRows = z
  .array(
    z.object({
      number: z.number(),
      baseCommit: z.string().transform(parseSha),
      state: z.enum(['applied', 'failed', 'unknown']),
    }),
  )
  .max(1);
/** Only read back by whom it was written: see `begin`. */
const factsSchema = z.custom<ApplyGrant & { readonly asked: AskedApply }>(
  (facts) => typeof facts === 'object' && facts !== null && 'planId' in facts && 'asked' in facts,
);
const factsRows = z.array(z.object({ facts: factsSchema })).max(1);
const unknownSchema = z.custom<Extract<ApplyOutcome, { kind: 'unknown' }>>(
  (outcome) => hasKind(outcome) && outcome.kind === 'unknown',
);
const unfinishedRows = z
  .array(
    z.object({
      runId: run,
      number: z.number(),
      facts: factsSchema,
      outcome: unknownSchema.nullable(),
      lostAt: z.date().nullable(),
    }),
  )
  .max(1);
const runRows = z.array(z.object({ runId: run })).max(1);

const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('applied'), runId: run, finishedAt: z.string() }),
  z.object({
    kind: z.literal('failed'),
    runId: run,
    finishedAt: z.string(),
    diagnostics: z.array(diagnosticSchema),
    diagnosticCount: z.number(),
    done: z.number(),
    total: z.number(),
    stateKept: z.boolean(),
  }),
  z.object({ kind: z.literal('refused'), refusal: z.custom<Refusal>(hasKind) }),
  z.object({ kind: z.literal('unknown'), runId: run, reason: z.string() }),
]) satisfies z.ZodType<ApplyOutcome>;

/** Refusals are only passed on, to the renderer, which knows every kind. */
function hasKind(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

const applyRows = z
  .array(
    z.object({
      runId: run,
      planId: z.string().transform(parsePlanId),
      fence: z.number(),
      state: z.enum(['begun', 'applied', 'failed', 'refused', 'unknown']),
      outcome: outcomeSchema.nullable(),
    }),
  )
  .max(1);
