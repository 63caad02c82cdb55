-- Which applies were begun, and what keeps one from being begun twice?

create table apply (
  run_id uuid primary key,
  -- Unique for good: whatever came of it, a plan file is never applied a second time.
  plan_id uuid not null unique references plan (id),
  repository_id bigint not null,
  number integer not null,
  project text not null,
  dir text not null,
  workspace text not null,
  digest text not null,
  fence bigint not null,
  grant_facts json not null,
  state text not null default 'begun' check (state in ('begun', 'applied', 'failed', 'refused', 'unknown')),
  outcome json,
  begun_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  check ((state = 'begun') = (finished_at is null))
);
create unique index apply_one_at_a_time on apply (repository_id, dir, workspace) where state = 'begun';
create index apply_of_project on apply (repository_id, dir, workspace, fence desc);

-- One transaction: whether the apply may begin, and if so the row that says it has. Answers in one word.
-- A digest that was applied is refused for plans made before that apply ended: those are the same work. A plan made
-- afterwards that still comes to this digest has seen the result and is new work.
create function begin_apply(
  wanted_run uuid,
  wanted_plan uuid,
  wanted_repository bigint,
  wanted_number integer,
  wanted_digest text,
  wanted_fence bigint,
  facts json
) returns text
language plpgsql as $$
declare
  planned plan;
  earlier apply;
begin
  select * into planned from plan
    where id = wanted_plan and repository_id = wanted_repository and number = wanted_number and digest = wanted_digest;
  if not found then
    return 'no-such-plan';
  end if;
  -- Two runs that ask at once are answered one after the other, each seeing what the other did.
  perform pg_advisory_xact_lock(hashtextextended(
    json_build_array('apply', planned.repository_id, planned.dir, planned.workspace)::text, 0));

  select * into earlier from apply where run_id = wanted_run;
  if found then
    return case when earlier.plan_id = wanted_plan and earlier.fence = wanted_fence and earlier.state = 'begun'
      then 'begun-before' else 'run-used' end;
  end if;
  select * into earlier from apply where plan_id = wanted_plan;
  if found then
    return case when earlier.state in ('begun', 'applied') then 'already-applied' else 'plan-used' end;
  end if;
  if exists (select from apply where repository_id = planned.repository_id and dir = planned.dir
      and workspace = planned.workspace and state = 'applied' and digest = wanted_digest
      and finished_at >= planned.created_at) then
    return 'already-applied';
  end if;
  if exists (select from apply where repository_id = planned.repository_id and dir = planned.dir
      and workspace = planned.workspace and state = 'begun') then
    return 'unfinished';
  end if;
  if exists (select from apply where repository_id = planned.repository_id and dir = planned.dir
      and workspace = planned.workspace and fence >= wanted_fence) then
    return 'newer-fence';
  end if;

  insert into apply (run_id, plan_id, repository_id, number, project, dir, workspace, digest, fence, grant_facts)
    values (wanted_run, wanted_plan, planned.repository_id, planned.number, planned.project, planned.dir,
      planned.workspace, planned.digest, wanted_fence, facts);
  return 'begun';
end $$;

-- Who held a project when, in order.
create table lock_event (
  id bigint generated always as identity primary key,
  key text not null unique,
  repository_id bigint not null,
  dir text not null,
  workspace text not null,
  number integer not null,
  kind text not null check (kind in ('taken', 'released', 'frozen', 'unlocked')),
  fence bigint not null,
  reason text not null,
  at timestamptz not null default now()
);
create index lock_event_of_project on lock_event (repository_id, dir, workspace, id);
