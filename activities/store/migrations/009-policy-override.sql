-- Who lifted the denial of which policies, and why? Written once, never changed.

create table policy_override (
  repository_id bigint not null,
  number integer not null,
  project text not null,
  digest text not null,
  -- The policies and the hatchet.yaml that denied: with others it counts for nothing.
  bundle_digest text not null,
  login text not null check (login = lower(login)),
  document json not null,
  decided_at timestamptz not null,
  primary key (repository_id, number, project, digest, bundle_digest, login, decided_at)
);
create trigger append_only before update or delete or truncate on policy_override
  for each statement execute function refuse_change();
