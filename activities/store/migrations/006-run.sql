-- Which runs were shown to people, and what do those print that are not over?

create table run (
  id uuid primary key,
  repository_id bigint not null,
  number integer not null,
  repository json not null,
  project text not null,
  kind text not null check (kind in ('plan', 'apply')),
  -- When it was first shown: its link lives from then on.
  started_at timestamptz not null default now(),
  ended_at timestamptz
);
create index run_of_pull_request on run (repository_id, number) where ended_at is null;

-- The run that made it. Plans of earlier versions have none.
alter table plan add column run_id uuid;
create index plan_of_run on plan (run_id);

-- Masked and sealed; gone when the whole log is kept.
create table log_chunk (
  run_id uuid not null,
  seq integer not null,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  primary key (run_id, seq)
);
create index log_chunk_by_age on log_chunk (created_at);
