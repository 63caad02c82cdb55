-- Of which merged pull requests is something still to be applied, as the check on the merge commit says?

alter table pull_request add column merge_commit text;
-- As GitHub names it, in capitals; null: not completed, no check, or written before there was this column.
alter table shown add column conclusion text;
create index shown_unapplied on shown (repository_id, number)
  where key like 'check:%:hatchet/apply' and conclusion not in ('SUCCESS', 'NEUTRAL');

create view unapplied_merge as
  select shown.repository_id, shown.number
  from shown join pull_request known using (repository_id, number)
  where shown.key like 'check:%:hatchet/apply' and shown.conclusion not in ('SUCCESS', 'NEUTRAL')
    and shown.key = 'check:' || known.merge_commit || ':hatchet/apply';
