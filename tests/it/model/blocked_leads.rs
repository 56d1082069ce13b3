//! Leads that a trigger blocks for a while, and messages that fall due.

use super::behaviours::Behaviour;
use super::operations::Pick;
use super::world::World;

impl World<'_> {
    pub(super) async fn block(&mut self, first: Pick, count: usize, behaviour: Behaviour) {
        let ids = self.pick_some(first, count);
        let (name, code, place) = behaviour.row();
        let (funnel, column) = place.map_or((None, None), |place| self.places[place]);
        self.app
            .execute(
                "insert into model.blocked select id, $2, $3, $4, $5 from unnest($1::uuid[]) as id
                 on conflict (lead_id) do update
                 set (behaviour, code, funnel_id, column_id)
                   = (excluded.behaviour, excluded.code, excluded.funnel_id, excluded.column_id)",
                &[&ids, &name, &code, &funnel, &column],
            )
            .await
            .unwrap();
        self.expected.blocked.extend(&ids);
        if behaviour.may_reject() {
            self.expected.once_blocked.extend(&ids);
        }
        if behaviour.may_fail() {
            self.expected.once_failed.extend(&ids);
        }
        if let Behaviour::Controls(control) = behaviour {
            self.expected.once_told.push((control, first.run));
        }
    }

    pub(super) async fn unblock(&mut self, nth: usize) {
        let count = self.expected.blocked.len();
        let id = *self.expected.blocked.iter().nth(nth % count).expect("one");
        self.expected.blocked.remove(&id);
        self.app
            .execute("delete from model.blocked where lead_id = $1", &[&id])
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
