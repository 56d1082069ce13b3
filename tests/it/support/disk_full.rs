//! Batches that fail for a reason that is no lead's: the disk is full, for a while.

use super::Database;

impl Database {
    /// From now on batches fail; `trigger` says when, as in `before update on public.leads for each row`.
    pub(crate) async fn fill_disk(&self, trigger: &str) {
        self.run(&format!(
            "create function public.disk_full() returns trigger language plpgsql as
             $$ begin raise exception 'disk full' using errcode = '53100'; end $$;
             create trigger z_disk_full {trigger} execute function public.disk_full()"
        ))
        .await;
    }

    /// Batches succeed again.
    pub(crate) async fn free_disk(&self) {
        self.run("drop trigger z_disk_full on public.leads").await;
    }
}
