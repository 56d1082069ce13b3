//! Ledger, queue and leads must agree at every instant.

use super::Crm;

/// What the ledger, the queue and the leads do not agree on, in words.
pub(crate) const DISAGREEMENTS: &str =
    "select coalesce(array_agg(m.migration_id || ': ' || x.what), '{}') || (
       select coalesce(array_agg(wrong.status || ': finished moves are miscounted'), '{}')
       from (
         select counted.status
         from (
           select c.status, c.moves from lead_mover.finished_counts c
           union all
           select f.status, -1 from lead_mover.moves f where f.finished_at is not null
         ) counted
         group by counted.status
         having sum(counted.moves) <> 0
       ) wrong
     )
     from lead_mover.moves m
     join lateral (
       select
         count(*) filter (where l.finished_at is null) as open_lanes,
         count(q.msg_id) as messages,
         count(*) filter (where q.msg_id is null and l.message_id is not null) as lost,
         sum(l.total - l.moved - l.rejected - l.unchanged) as unaccounted,
         sum(l.rejected) as rejected
       from lead_mover.lanes l
       left join pgmq.q_lead_migration_queue q on q.msg_id = l.message_id
       where l.migration_id = m.migration_id
     ) l on true
     cross join lateral (
       values
         (l.lost > 0, 'a lane names a message that is not there'),
         (m.finished_at is not null and l.messages > 0, 'a finished move has a message'),
         (m.finished_at is null and l.messages <> l.open_lanes, 'an open lane has no message'),
         (m.status like 'completed%' and l.unaccounted <> 0, 'leads are unaccounted for'),
         (l.rejected <> (
           select count(*) from lead_mover.rejections r where r.migration_id = m.migration_id
         ), 'rejections are not listed')
     ) as x (wrong, what)
     where x.wrong";

impl Crm<'_> {
    /// What the ledger, the queue and the leads must agree on at every instant.
    pub(crate) async fn check(&self) {
        let wrong: Vec<String> = self.database.value(DISAGREEMENTS, &[]).await;
        assert_eq!(wrong, Vec::<String>::new());
    }
}
