-- What has been planned, and where are the sealed bytes of plans, logs and states?

create table plan (
  id uuid primary key,
  repository_id bigint not null,
  number integer not null,
  project text not null,
  dir text not null,
  workspace text not null,
  digest text not null,
  plan_file_sha256 text not null,
  -- json, not jsonb: jsonb refuses the NUL that a diagnostic may hold, and nothing searches inside.
  document json not null,
  created_at timestamptz not null default now()
);
create index plan_of_pull_request on plan (repository_id, number);

-- `id` is the plan's or the run's that the bytes belong to. `sha256` and `size` are those of the clear bytes.
create table artifact (
  id uuid not null,
  kind text not null,
  sealed bytea not null,
  sha256 text not null,
  size bigint not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (id, kind)
);
create index artifact_by_expiry on artifact (expires_at);
-- Sealed bytes do not compress.
alter table artifact alter column sealed set storage external;
