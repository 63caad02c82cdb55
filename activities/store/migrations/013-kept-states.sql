-- Which states could Terraform not write, and of which run is each?

create view kept_state as
  select artifact.id as run_id, artifact.size, artifact.created_at, artifact.expires_at,
    apply.repository_id, apply.number, apply.project, apply.dir, apply.workspace
  from artifact left join apply on apply.run_id = artifact.id
  where artifact.kind = 'errored-state' and artifact.expires_at > now();
