-- What happens to a lock when the outcome that had frozen it becomes known?

alter table lock_event drop constraint lock_event_kind_check;
alter table lock_event add constraint lock_event_kind_check
  check (kind in ('taken', 'released', 'frozen', 'unlocked', 'settled'));
