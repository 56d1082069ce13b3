//! Whether a notification really comes back, and whether a pooler lies between.

use tokio_postgres::Client;

use super::finding::Finding;
use super::{DoctorSettings, cause};
use crate::config::ListenOn;
use crate::db::{self, ConnectionSettings};
use crate::listener::{Echo, ListenError, next_notification};

/// Supabase's transaction-mode pooler.
const TRANSACTION_POOLER_PORT: u16 = 6543;

const URL: &str = "DATABASE_URL";

const LISTEN_ELSEWHERE: &str =
    "put a direct or session-mode connection (Supabase: port 5432) into DATABASE_LISTEN_URL";

/// What became of the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// What was sent by the database's session came in.
    Hears,
    /// It did not, and what was sent the same way as is listened did.
    Apart,
    /// `LISTEN` is accepted, and nothing comes in.
    Deaf,
    /// Nothing is to be heard.
    Unasked,
}

/// Listens where the service would. Each step has a deadline of its own.
pub(super) async fn listen(
    settings: &DoctorSettings,
    database: &Client,
) -> (Finding, Option<Hearing>) {
    let (setting, listen) = match &settings.listen_on {
        ListenOn::Another(listen) => ("DATABASE_LISTEN_URL", &**listen),
        ListenOn::Database => (URL, &settings.database),
        ListenOn::Nothing => {
            return (
                judge_hearing(Hearing::Unasked, "DATABASE_LISTEN_URL"),
                Some(Hearing::Unasked),
            );
        }
    };
    match try_out(listen, database).await {
        Ok(hearing) => (judge_hearing(hearing, setting), Some(hearing)),
        Err(ListenError::Connect(error)) => (cause::of(&error, setting, listen).await, None),
        Err(error) => (
            Finding::failure(db::describe(&error), LISTEN_ELSEWHERE),
            None,
        ),
    }
}

/// Whether the workers would share sessions with others; `hearing` is what [`listen`] found.
pub(super) async fn pooler(
    settings: &DoctorSettings,
    database: &Client,
    hearing: Option<Hearing>,
) -> Finding {
    let through_database = match &settings.listen_on {
        ListenOn::Database => hearing,
        ListenOn::Another(_) | ListenOn::Nothing => {
            try_out(&settings.database, database).await.ok()
        }
    };
    let (first, others) = settings.database.addresses();
    let mut addresses = std::iter::once(first).chain(others);
    match db::takes_time_outs(&settings.database, super::APPLICATION_NAME).await {
        Ok(takes_time_outs) => judge_pooler(&Signs {
            port: addresses.any(|address| address.port == TRANSACTION_POOLER_PORT),
            deaf: through_database == Some(Hearing::Deaf),
            refuses_time_outs: !takes_time_outs,
            is_well: matches!(hearing, Some(Hearing::Hears | Hearing::Unasked)),
        }),
        Err(error) => cause::of(&error, URL, &settings.database).await,
    }
}

/// Calls from the database's session, and if that is not heard from another one beside the listening session.
/// The listening connection is driven here, because awaiting it would throw
/// notifications away.
async fn try_out(settings: &ConnectionSettings, database: &Client) -> Result<Hearing, ListenError> {
    let (client, mut connection) = Box::pin(db::connect(settings, super::APPLICATION_NAME)).await?;
    let echo = Echo::new();
    let calls = async {
        echo.listen(&client).await?;
        if echo.call(database).await? {
            return Ok(Hearing::Hears);
        }
        let neighbour = db::open_session(settings, super::APPLICATION_NAME).await?;
        let came = echo.call(&neighbour).await?;
        echo.unlisten(&client).await?;
        Ok(if came { Hearing::Apart } else { Hearing::Deaf })
    };
    tokio::pin!(calls);
    loop {
        tokio::select! {
            notification = next_notification(&mut connection) => echo.hear(&notification?),
            hearing = &mut calls => return hearing,
        }
    }
}

fn judge_hearing(hearing: Hearing, setting: &str) -> Finding {
    match hearing {
        Hearing::Hears if setting == URL => {
            Finding::ok("a notification sent over DATABASE_URL came back")
        }
        Hearing::Hears => Finding::ok(format!(
            "notifications sent over {setting} and over DATABASE_URL came back over {setting}"
        )),
        Hearing::Apart => Finding::failure(
            format!("nothing that is sent over DATABASE_URL comes in over {setting}"),
            format!("put the same database of the same server into {setting} as into DATABASE_URL"),
        ),
        // The service can work so, and looks by itself.
        Hearing::Deaf => Finding::warning(
            format!(
                "no notification comes in over {setting}, as behind a transaction-mode pooler: \
                 the service looks every 2 seconds instead"
            ),
            LISTEN_ELSEWHERE,
        ),
        Hearing::Unasked => Finding::ok(format!(
            "{setting} is off: the service looks every LEAD_MOVER_POLL_INTERVAL"
        )),
    }
}

/// What tells a transaction-mode pooler, and what becomes of notifications.
#[expect(clippy::struct_excessive_bools, reason = "a list of observations")]
struct Signs {
    port: bool,
    deaf: bool,
    refuses_time_outs: bool,
    /// Notifications come in, wherever the service listens, or are not wanted.
    is_well: bool,
}

fn judge_pooler(signs: &Signs) -> Finding {
    let all = [
        (signs.port, "port 6543"),
        (signs.deaf, "LISTEN that hears nothing"),
        (signs.refuses_time_outs, "no options taken"),
    ];
    let seen: Vec<&str> = all
        .iter()
        .filter_map(|(there, sign)| there.then_some(*sign))
        .collect();
    if seen.is_empty() {
        return Finding::ok("DATABASE_URL leads to no transaction-mode pooler");
    }
    let found = format!(
        "DATABASE_URL leads to a transaction-mode pooler ({})",
        seen.join(", ")
    );
    if !signs.is_well {
        Finding::warning(found, LISTEN_ELSEWHERE)
    } else if signs.refuses_time_outs {
        Finding::warning(
            format!("{found}, so batches have no time-outs of the service's"),
            "set them for the role: alter role … set statement_timeout = '60s';",
        )
    } else {
        // Nothing depends on sessions but LISTEN.
        Finding::ok(format!("{found}, which the service can live with"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_transaction_mode_pooler_is_fine_where_notifications_come_in() {
        for (port, deaf, refuses_time_outs, is_well, expected) in [
            (false, false, false, true, Status::Ok),
            (true, false, false, true, Status::Ok),
            (true, true, false, true, Status::Ok),
            (true, true, true, true, Status::Warning),
            (true, false, false, false, Status::Warning),
            (false, true, false, false, Status::Warning),
            (false, false, true, false, Status::Warning),
        ] {
            let finding = judge_pooler(&Signs {
                port,
                deaf,
                refuses_time_outs,
                is_well,
            });
            assert_eq!(finding.status, expected, "{finding:?}");
            for (there, sign) in [
                (port, "port 6543"),
                (deaf, "LISTEN that hears nothing"),
                (refuses_time_outs, "no options taken"),
            ] {
                assert_eq!(finding.found.contains(sign), there, "{finding:?}");
            }
            let elsewhere = finding.advice.as_deref() == Some(LISTEN_ELSEWHERE);
            assert_eq!(elsewhere, !is_well, "{finding:?}");
        }
    }
}
