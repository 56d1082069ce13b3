//! Databases whose encoding is not UTF8: each encoding of the server that can hold our texts will do.

use tokio_postgres::error::SqlState;

use crate::support::{Database, Session, files_below};

/// All that `migrate` may send.
fn sql_files() -> String {
    let files = files_below("migrations", "sql");
    files.into_iter().map(|file| file.text).collect()
}

/// The encodings that a database of this server can have, as the server itself answers.
async fn encodings(session: &Session) -> Vec<String> {
    let names: Vec<String> = session
        .query_one(
            "select array_agg(n.name order by n.number)
             from (select number, pg_encoding_to_char(number) as name from generate_series(0, 99) as number) n
             where n.name <> ''",
            &[],
        )
        .await
        .expect("the server answers")
        .get(0);
    let mut encodings = Vec::new();
    for name in names {
        // The encoding is checked before the template. Some encodings are for clients only.
        let statement = format!("create database x encoding '{name}' template lead_mover_nowhere");
        let error = session.batch_execute(&statement).await.unwrap_err();
        match error.code() {
            Some(&SqlState::INVALID_CATALOG_NAME) => encodings.push(name),
            code => assert_eq!(code, Some(&SqlState::UNDEFINED_OBJECT), "{error:?}"),
        }
    }
    encodings
}

/// Whether the text can be stored in a database of that encoding.
async fn can_hold(session: &Session, encoding: &str, text: &str) -> bool {
    let converted = session
        .query_one("select convert_to($1, $2)", &[&text, &encoding])
        .await;
    match converted {
        Ok(_) => true,
        Err(error) => {
            let code = error.code().expect("the server answers");
            let expected = [
                SqlState::UNTRANSLATABLE_CHARACTER,
                // There is no conversion between the two encodings.
                SqlState::UNDEFINED_FUNCTION,
            ];
            assert!(expected.contains(code), "{encoding}: {error:?}");
            false
        }
    }
}

#[tokio::test]
async fn migrate_and_a_move_work_in_each_encoding_that_has_the_portuguese_letters() {
    let asked = Database::empty().await;
    let letters: String = sql_files()
        .chars()
        .filter(|letter| letter.is_alphabetic())
        .collect();
    let mut used = Vec::new();
    for encoding in encodings(asked.session()).await {
        if !can_hold(asked.session(), &encoding, &letters).await {
            continue;
        }
        let database = Database::empty_in(&encoding).await;
        let stored: String = database.value("show server_encoding", &[]).await;
        assert_eq!(stored, encoding);

        let migrated = database.migrate(&["--example-schema"]).await;

        assert_eq!(migrated.status, Some(0), "{encoding}: {migrated:?}");
        let crm = database.crm().await;
        let run = crm.run_of(150).await;
        let answer = crm.enqueue(run).await;
        assert_eq!(
            answer["message"], "Movimentação enfileirada: 150 leads serão movidos",
            "{encoding}"
        );
        let batches = crm.process_all().await;
        assert_eq!(batches.len(), 2, "{encoding}");
        assert_eq!(
            batches[0].error_message, "Batch processado: 100 leads movidos, 50 restantes",
            "{encoding}"
        );
        assert_eq!(crm.status(run).await, "completed", "{encoding}");
        assert_eq!(crm.leads_at(run, crm.target).await, 150, "{encoding}");
        crm.check().await;
        used.push(encoding);
    }
    for known in ["SQL_ASCII", "UTF8", "LATIN1", "LATIN9", "WIN1252"] {
        assert!(used.iter().any(|used| used == known), "{known}: {used:?}");
    }
}
