//! A record of every write to a lead, kept by a trigger.

use super::Database;

impl Database {
    /// From now on every write to a lead is noted, with who wrote it and in which transaction.
    pub(crate) async fn note_writes(&self) {
        self.run(
            "create table public.writes (
               lead_id uuid not null,
               run_id uuid,
               column_id uuid,
               changed boolean not null,
               by_transaction xid8 not null default pg_current_xact_id(),
               who text not null default current_setting('application_name')
             );
             create index writes_run_id_idx on public.writes (run_id);
             create function public.note_write() returns trigger language plpgsql as
             $$ begin
               insert into public.writes (lead_id, run_id, column_id, changed)
               values (new.id, new.run_id, new.column_id, new is distinct from old);
               return null;
             end $$;
             create trigger note_write after update on public.leads
             for each row execute function public.note_write()",
        )
        .await;
    }

    /// How many writes were noted, and of how many leads.
    pub(crate) async fn writes(&self) -> (i64, i64) {
        let count = async |what: &str| -> i64 {
            self.value(&format!("select count({what}) from public.writes"), &[])
                .await
        };
        (count("*").await, count("distinct lead_id").await)
    }

    /// The mover has written no lead twice on its way to one column, never more than that many in one
    /// transaction, and none without need. What users wrote is not ours to count.
    pub(crate) async fn check_writes(&self, at_most: i64) {
        let wrong: Vec<String> = self
            .value(
                "select coalesce(array_agg(what), '{}') from (
                   select format('lead %s was written %s times', lead_id, count(*)) as what
                   from public.writes where who <> 'person'
                   group by lead_id, column_id having count(*) > 1
                   union all
                   select format('%s leads in one transaction', count(*))
                   from public.writes where who <> 'person'
                   group by by_transaction having count(*) > $1
                   union all
                   select format('lead %s was written without need', lead_id)
                   from public.writes where who <> 'person' and not changed
                 ) wrong",
                &[&at_most],
            )
            .await;
        assert_eq!(wrong, Vec::<String>::new());
    }
}
