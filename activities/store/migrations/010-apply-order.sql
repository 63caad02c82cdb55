-- On which commit of the base branch did an apply stand, and what keeps one digest from being applied twice?

-- The merge commit or, before a merge, the base that the plan was made with. Null: begun by an earlier version.
alter table apply add column base_commit text;

-- The same plan may become right again once more is known: how often its digest had been applied when it was made.
alter table apply add column repeat integer not null default 0;
update apply set repeat = counted.before from (
  select run_id, row_number() over (partition by repository_id, dir, workspace, digest order by begun_at) - 1 as before
    from apply where state in ('begun', 'applied')
) counted where counted.run_id = apply.run_id;
create unique index apply_once_per_digest on apply (repository_id, dir, workspace, digest, repeat)
  where state in ('begun', 'applied');

drop function begin_apply(uuid, uuid, bigint, integer, text, bigint, json);

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
  wanted_base text,
  max_age interval,
  facts json
) returns text
language plpgsql as $$
declare
  planned plan;
  earlier apply;
  times integer;
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
  -- Whatever has changed something since, or may have: the plan does not know of it.
  select * into earlier from apply where repository_id = planned.repository_id and dir = planned.dir
      and workspace = planned.workspace and finished_at >= planned.created_at
      and (state in ('applied', 'unknown') or (state = 'failed' and outcome::text ~ '"done" ?: ?[1-9]'))
    order by finished_at desc limit 1;
  if found then
    return case when earlier.number = wanted_number then 'changed-since' else 'applied-elsewhere' end;
  end if;
  if planned.created_at < clock_timestamp() - max_age then
    return 'too-old';
  end if;

  select count(*) into times from apply where repository_id = planned.repository_id and dir = planned.dir
    and workspace = planned.workspace and state = 'applied' and digest = wanted_digest;
  insert into apply (run_id, plan_id, repository_id, number, project, dir, workspace, digest, fence, base_commit, repeat,
      grant_facts)
    values (wanted_run, wanted_plan, planned.repository_id, planned.number, planned.project, planned.dir,
      planned.workspace, planned.digest, wanted_fence, wanted_base, times, facts);
  return 'begun';
end $$;
