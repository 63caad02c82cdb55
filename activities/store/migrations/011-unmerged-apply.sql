-- What is applied to a project although the pull request was closed without a merge?

-- Gone from here as soon as a merged pull request was applied later, or planned no difference later: the project is then
-- what the base branch says. Documents are looked at as texts: PostgreSQL refuses to take one apart that has a NUL in it, and
-- within a string a quote is escaped, so that no title can pass for a key.
create view unmerged_apply as
  select apply.repository_id, apply.dir, apply.workspace, apply.number, apply.run_id
  from apply
  join pull_request closed on closed.repository_id = apply.repository_id and closed.number = apply.number
    and closed.document::text ~ '"state" ?: ?"closed"'
  where (apply.state in ('applied', 'unknown') or (apply.state = 'failed' and apply.outcome::text ~ '"done" ?: ?[1-9]'))
    and not exists (
      select from apply later
      join pull_request merged on merged.repository_id = later.repository_id and merged.number = later.number
        and merged.document::text ~ '"state" ?: ?"merged"'
      where later.repository_id = apply.repository_id and later.dir = apply.dir and later.workspace = apply.workspace
        and later.state = 'applied' and later.fence > apply.fence)
    and not exists (
      select from plan later
      join pull_request merged on merged.repository_id = later.repository_id and merged.number = later.number
        and merged.document::text ~ '"state" ?: ?"merged"'
      where later.repository_id = apply.repository_id and later.dir = apply.dir and later.workspace = apply.workspace
        and later.created_at > apply.finished_at and later.document::text ~ '"hasChanges" ?: ?false'
        and not exists (
          select from plan newer
          where newer.repository_id = later.repository_id and newer.number = later.number
            and newer.dir = later.dir and newer.workspace = later.workspace
            and newer.created_at > later.created_at));

create index plan_of_project on plan (repository_id, dir, workspace, created_at);
