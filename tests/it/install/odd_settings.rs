//! Databases whose settings are not the server's defaults: `migrate`, doctor and a move are as ever.

use crate::support::{Database, value};

const SETTINGS: [&str; 16] = [
    "quote_all_identifiers = on",
    "standard_conforming_strings = off",
    "escape_string_warning = on",
    "default_transaction_isolation = serializable",
    "default_transaction_deferrable = on",
    "check_function_bodies = off",
    "transform_null_equals = on",
    "array_nulls = off",
    "bytea_output = escape",
    "extra_float_digits = -15",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = sql_standard",
    "search_path = nowhere",
    "plan_cache_mode = force_custom_plan",
    "timezone = 'America/Sao_Paulo'",
    "client_min_messages = error",
];

#[tokio::test]
async fn odd_settings_of_a_database_change_nothing() {
    for settings in SETTINGS.chunks(8) {
        let database = Database::empty().await;
        for setting in settings {
            let alter = format!("alter database {} set {setting}", database.name());
            database.run(&alter).await;
        }

        let migrated = database.migrate(&["--example-schema"]).await;
        assert_eq!(migrated.status, Some(0), "{settings:?}: {migrated:?}");
        assert_eq!(database.migrate(&[]).await.status, Some(0), "{settings:?}");

        let session = database.open().await;
        for setting in settings {
            let name = setting.split(" = ").next().expect("a name");
            let shown: String = value(&session, &format!("show {name}"), &[]).await;
            assert!(setting.contains(&shown), "{setting}: {shown}");
        }
        database.doctor_report().await.assert_all_pass();
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        crm.enqueue(run).await;
        while database.process_as_service(&session).await != "idle" {}
        crm.all_moved(run).await;
    }
}
