-- How does a pull request stand at GitHub, and which yes counts no more?

-- Reviews and whoever made the head, as last read; null for what was read before this was kept.
alter table pull_request add column standing json;

-- A yes that was taken back stays as a row, so that nothing older can bring it back.
alter table approval drop constraint approval_decision_check;
alter table approval add constraint approval_decision_check
  check (decision in ('approve', 'reject', 'withdraw'));
