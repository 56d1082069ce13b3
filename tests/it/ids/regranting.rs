//! Rights on functions that `migrate` makes again with other types.

use super::recipes::{tables, with_ids};
use super::remapping::{DROPPED, FILLED};
use crate::support::worker;

/// Also that nothing is open which was not before, and that what was closed stays closed.
#[tokio::test]
async fn functions_that_are_made_again_stay_open() {
    let database = with_ids("integer", "integer", "integer").await;
    database.run(FILLED).await;
    let worker = worker();
    database
        .run(&format!(
            "select lead_mover.open_to('lead_mover_stranger', array['queue', 'cancel'], true);
             select lead_mover.open_to('{worker}', array['serve'], true)"
        ))
        .await;
    let grants = "select array_agg(g.name order by g.name)
         from (
           select format('%s %s %s', p.proname, a.grantee::regrole, a.is_grantable) as name
           from pg_proc p
           cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
           where p.pronamespace in ('lead_mover'::regnamespace, 'public'::regnamespace)
         ) g";
    let before: Vec<String> = database.value(grants, &[]).await;
    database
        .run(&format!(
            "{DROPPED} {}; {FILLED}",
            tables("text", "text", "text")
        ))
        .await;
    // As Supabase's.
    database
        .run("alter default privileges in schema public grant execute on functions to anon, authenticated, service_role")
        .await;

    let migrated = database.migrate(&[]).await;

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_eq!(database.value::<Vec<String>>(grants, &[]).await, before);
}
