//! Batches that fail by no fault of a lead: the disk is full, for a while.

use super::Database;

impl Database {
    /// From now on they do; `trigger` says when, as in `before update on public.leads for each row`.
    pub(crate) async fn run_out_of_luck(&self, trigger: &str) {
        self.run(&format!(
            "create function public.out_of_luck() returns trigger language plpgsql as
             $$ begin raise exception 'disk full' using errcode = '53100'; end $$;
             create trigger z_out_of_luck {trigger} execute function public.out_of_luck()"
        ))
        .await;
    }

    /// They go through again.
    pub(crate) async fn have_luck_again(&self) {
        self.run("drop trigger z_out_of_luck on public.leads").await;
    }
}
