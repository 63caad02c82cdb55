-- Who pushed which commit? GitHub tells it once, in the webhook of the push.

create table push (
  repository_id bigint not null,
  -- What a branch was moved to.
  head text not null,
  login text not null,
  heard_at timestamptz not null default now(),
  primary key (repository_id, head, login)
);
