-- Who said that a state which Terraform could not write is put back, or not needed?

create function note_state_settled() returns trigger language plpgsql as $$
begin
  insert into event (key, repository_id, repository, number, actor, action, target, digest, allowed, reason)
    select 'state/' || new.run_id || '/' || new.how, repository_id, repository, number, new.actor, 'settle-state', target,
      digest, true, new.how
    from event where key = 'apply/' || new.run_id || '/begun'
    on conflict (key) do nothing;
  return null;
end $$;
create trigger note_settled after insert on settled_state
  for each row execute function note_state_settled();
