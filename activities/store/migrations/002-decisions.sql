-- What did policies and people say to a plan?

-- No row: never judged. A row with no verdicts in it: judged, and no policy had anything to say.
create table verdict (
  plan_id uuid primary key references plan (id),
  bundle_digest text not null,
  verdicts json not null,
  judged_at timestamptz not null default now()
);

-- The last word of each person on each digest; every word ever said is in `event`.
create table approval (
  repository_id bigint not null,
  number integer not null,
  project text not null,
  digest text not null,
  login text not null check (login = lower(login)),
  decision text not null check (decision in ('approve', 'reject')),
  document json not null,
  decided_at timestamptz not null,
  primary key (repository_id, number, project, digest, login)
);
