-- Which states that Terraform could not write has somebody put back, or given up?

create table settled_state (
  run_id uuid primary key references apply (run_id),
  how text not null check (how in ('put back', 'given up')),
  actor text not null,
  settled_at timestamptz not null default now()
);

-- A state that is not in the store yet is on the disk of its runner, and the outcome says so. In a document's text no
-- quotation mark stands alone, so this finds the key and nothing that people wrote.
create view unwritten_state as
  select run_id, repository_id, number, dir, workspace, begun_at,
    exists (select from kept_state where kept_state.run_id = apply.run_id) as kept
  from apply
  where (exists (select from kept_state where kept_state.run_id = apply.run_id)
      or outcome::text ~ '[,{] ?"stateOnRunner" ?: ?true')
    and not exists (select from settled_state where settled_state.run_id = apply.run_id);

-- Until now nobody could say so: who has applied the project since has put it back, or done without.
insert into settled_state (run_id, how, actor)
  select run_id, 'put back', 'hatchet' from unwritten_state
  where exists (select from apply later join apply earlier on earlier.run_id = unwritten_state.run_id
    where later.repository_id = earlier.repository_id and later.dir = earlier.dir
      and later.workspace = earlier.workspace and later.fence > earlier.fence and later.state = 'applied');
