-- What did GitHub say last about a pull request, and what did we write there last?

create table pull_request (
  repository_id bigint not null,
  number integer not null,
  repository json not null,
  document json not null,
  read_at timestamptz not null,
  primary key (repository_id, number)
);

create table shown (
  repository_id bigint not null,
  number integer not null,
  key text not null,
  node_id text not null,
  hash text not null,
  annotations_hash text not null,
  open boolean not null,
  -- GitHub's own clock, as it wrote it.
  shown_at text,
  written_at timestamptz not null default now(),
  primary key (repository_id, number, key)
);
