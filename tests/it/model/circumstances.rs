//! What befalls the mover: leads that cannot be moved for a while, and time that passes.

use super::operations::Pick;
use super::world::World;

impl World<'_> {
    pub(super) async fn refuse(&mut self, first: Pick, count: usize, by_bad_luck: bool) {
        let ids = self.pick_some(first, count);
        let code = if by_bad_luck { "53100" } else { "P0001" };
        self.app
            .execute(
                "insert into model.refused select id, $2 from unnest($1::uuid[]) as id
                 on conflict (lead_id) do update set code = excluded.code",
                &[&ids, &code],
            )
            .await
            .unwrap();
        self.expected.refused.extend(&ids);
        self.expected.once_refused.extend(&ids);
        if by_bad_luck {
            self.expected.once_unlucky.extend(&ids);
        }
    }

    pub(super) async fn accept(&mut self, nth: usize) {
        let count = self.expected.refused.len();
        let id = *self.expected.refused.iter().nth(nth % count).expect("one");
        self.expected.refused.remove(&id);
        self.app
            .execute("delete from model.refused where lead_id = $1", &[&id])
            .await
            .unwrap();
    }

    /// Messages that a worker holds stay as they are.
    pub(super) async fn make_due(&self) {
        self.app
            .batch_execute(
                "update pgmq.q_lead_migration_queue q set vt = clock_timestamp()
                 where q.msg_id in (
                   select msg_id from pgmq.q_lead_migration_queue
                   where vt > clock_timestamp() and vt < 'infinity'
                   for update skip locked
                 )",
            )
            .await
            .unwrap();
    }
}
