-- What came of each apply, in the record of who did what?

-- The same transaction that ends an apply says so, whichever way it ends; who and what is as it was when it began.
create function note_apply_end() returns trigger language plpgsql as $$
begin
  insert into event (key, repository_id, repository, number, actor, action, target, digest, allowed, reason)
    select 'apply/' || new.run_id || '/' || new.state, repository_id, repository, number, actor, 'end', target, digest,
      new.state <> 'refused', new.state
    from event where key = 'apply/' || new.run_id || '/begun'
    on conflict (key) do nothing;
  return null;
end $$;
create trigger note_end after update of state on apply
  for each row when (old.state is distinct from new.state) execute function note_apply_end();

create index event_of_target on event (target, id);
