-- Messages to the front end by Supabase's Realtime: whether they are sent, and when one was sent last.

create table lead_mover.announcements (
  is_only boolean primary key default true check (is_only),
  is_on boolean not null
);

comment on table lead_mover.announcements is 'One row: whether messages are sent to Realtime. No row: none are.';

alter table lead_mover.moves
add column announced_at timestamptz;

comment on column lead_mover.moves.announced_at is 'When a message with its progress was sent to Realtime last.';
