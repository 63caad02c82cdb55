-- Who did what, and what did GitHub send? Written once, never changed.

create table event (
  id bigint generated always as identity primary key,
  -- Names the fact: an activity that is repeated records it once.
  key text not null unique,
  repository_id bigint not null,
  repository text not null,
  number integer,
  actor text not null,
  action text not null,
  target text not null,
  digest text,
  allowed boolean not null,
  reason text not null,
  at timestamptz not null default now()
);
create index event_of_pull_request on event (repository_id, number, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on event
  for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on lock_event
  for each statement execute function refuse_change();

create table delivery (
  guid text primary key,
  event text not null,
  action text,
  repository_id bigint,
  number integer,
  received_at timestamptz not null default now()
);
