-- Which words hold against later and earlier ones of the same person?

-- Of a click nobody knows more than that it was made after this, and before `decided_at`.
alter table approval add column surely_after timestamptz;
update approval set surely_after = case when document::text ~ '"via" ?: ?"button"' then '-infinity' else decided_at end;
alter table approval alter column surely_after set not null;

-- Somebody does not stand by what they overrode. Written once; an override after it counts again.
create table policy_override_withdrawal (
  repository_id bigint not null,
  number integer not null,
  project text not null,
  digest text not null,
  login text not null check (login = lower(login)),
  decided_at timestamptz not null,
  primary key (repository_id, number, project, digest, login, decided_at)
);
create trigger append_only before update or delete or truncate on policy_override_withdrawal
  for each statement execute function refuse_change();
