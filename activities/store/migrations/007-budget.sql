-- How much was written to GitHub lately, per installation, by all processes together?

-- Counted in slots of a few seconds: an hour is a few hundred rows, and rows older than an hour are deleted.
create table github_spent (
  installation_id bigint not null,
  slot timestamptz not null,
  requests integer not null,
  content integer not null,
  primary key (installation_id, slot)
);

-- Before `until` GitHub wants to hear nothing from the installation. The row is also the lock that spenders share.
create table github_pause (
  installation_id bigint primary key,
  until timestamptz not null
);

-- One transaction: counts what is about to be sent and returns 0, or counts nothing and returns the milliseconds after
-- which it may fit. `limits` is a list of {"seconds", "requests", "content"}; a slot leaves a window as a whole.
create function spend_github(
  wanted_installation bigint,
  wanted_requests integer,
  wanted_content integer,
  slot_seconds double precision,
  limits json
) returns double precision
language plpgsql as $$
declare
  paused timestamptz;
  moment timestamptz;
  free_at timestamptz;
begin
  insert into github_pause values (wanted_installation, '-infinity') on conflict do nothing;
  select until into paused from github_pause where installation_id = wanted_installation for update;
  moment := clock_timestamp();
  if paused > moment then
    return extract(epoch from paused - moment) * 1000;
  end if;

  -- Newest first: the slot at which the sum grows over a limit is the one that has to leave the window.
  select max(spent.slot + make_interval(secs => spent.seconds + slot_seconds)) into free_at
    from (
      select slot, one.seconds,
        sum(github_spent.requests) over newest + wanted_requests > greatest(one.requests, wanted_requests) as many,
        sum(github_spent.content) over newest + wanted_content > greatest(one.content, wanted_content) as much
      from json_to_recordset(limits) as one(seconds double precision, requests integer, content integer)
      join github_spent on installation_id = wanted_installation
        and slot > moment - make_interval(secs => one.seconds + slot_seconds)
      window newest as (partition by one.seconds order by slot desc)
    ) as spent
    where spent.many or (spent.much and wanted_content > 0);
  if free_at is not null then
    return greatest(1, extract(epoch from free_at - moment) * 1000);
  end if;

  insert into github_spent
    values (wanted_installation,
      to_timestamp(floor(extract(epoch from moment) / slot_seconds) * slot_seconds), wanted_requests, wanted_content)
    on conflict (installation_id, slot) do update
    set requests = github_spent.requests + excluded.requests, content = github_spent.content + excluded.content;
  delete from github_spent where installation_id = wanted_installation
    and slot < moment - make_interval(secs => 2 * (select max(seconds) from json_to_recordset(limits) as one(seconds double precision)));
  return 0;
end $$;
