-- What does the schedule that heals compare GitHub with, and what has it told already?

-- What a delivery was about, where that is said only once: a comment.
alter table delivery add column subject text;
create index delivery_by_subject on delivery (repository_id, subject) where subject is not null;

-- Of its own: a document may hold what no operator of json takes, for example a NUL in a title.
alter table pull_request add column open boolean not null default true;
update pull_request set open = document ->> 'state' = 'open';
create index pull_request_open on pull_request (repository_id) where open;
create index shown_open on shown (repository_id, number) where open;

-- Where the App is installed. `looked_at`: GitHub's clock when the last look at it began; null before the first.
create table installed_repository (
  id bigint primary key,
  document json not null,
  looked_at timestamptz
);
-- One row: when GitHub was last asked for that list, and until when its deliveries were looked at.
create table healing (
  only_row boolean primary key default true check (only_row),
  listed_at timestamptz,
  deliveries_until timestamptz
);
insert into healing default values;

-- What differs and was told: the same is not told again at every look.
create table told_difference (
  repository_id bigint not null,
  number integer not null,
  what text not null,
  facts text not null,
  told_at timestamptz not null default now(),
  primary key (repository_id, number, what)
);

-- Webhooks that GitHub was asked to send again: once each.
create table redelivery (
  guid text primary key,
  asked_at timestamptz not null default now()
);
