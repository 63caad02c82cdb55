-- On which commit was each open pull request shown last, and what do its checks say there by themselves?

create table shown_head (
  repository_id bigint not null,
  number integer not null,
  sha text not null,
  checks json not null,
  primary key (repository_id, number)
);
-- Several pull requests can have one head.
create index shown_head_sha on shown_head (repository_id, sha);
