//! The one place that decides what an error of the database means.

use tokio_postgres::error::{DbError, SqlState};

/// What kind of trouble it is: the label `kind` of `lead_mover_errors_total`, and what is advised.
///
/// All of them are tried again on a new connection, because each can be mended while the service
/// runs: a server that is down, a password that is being changed, a schema still to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The server cannot be reached, or the connection broke.
    Connection,
    /// The server is there and says no: wrong password, no such database, no right.
    Access,
    /// The functions are not there, or not those of this binary.
    Schema,
    /// A statement or a lock took too long, or somebody cancelled it.
    Timeout,
    /// Anything else the server said.
    Database,
}

impl ErrorKind {
    /// All of them, for the metrics that exist from the start.
    pub(crate) const ALL: [Self; 5] = [
        Self::Connection,
        Self::Access,
        Self::Schema,
        Self::Timeout,
        Self::Database,
    ];

    /// The value of the label `kind`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Access => "access",
            Self::Schema => "schema",
            Self::Timeout => "timeout",
            Self::Database => "database",
        }
    }

    /// Decides by the SQLSTATE found in the error or in one of its causes (PostgreSQL manual,
    /// appendix A).
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        said_by_the_server(error).map_or(Self::Connection, |said| Self::of_sqlstate(said.code()))
    }

    fn of_sqlstate(state: &SqlState) -> Self {
        match state.code() {
            "42883" | "42P01" | "3F000" | "42703" | "42804" => Self::Schema,
            "57014" | "55P03" => Self::Timeout,
            "42501" | "3D000" => Self::Access,
            code if code.starts_with("28") => Self::Access,
            code if code.starts_with("08") || code.starts_with("57P") => Self::Connection,
            _ => Self::Database,
        }
    }

    /// What the operator can do about it, where there is something to say.
    pub(crate) fn advice(self) -> Option<&'static str> {
        match self {
            Self::Schema => Some("is it installed in this database? Run `lead-mover migrate`"),
            Self::Connection | Self::Access | Self::Timeout | Self::Database => None,
        }
    }
}

/// Whether another transaction was in the way: the session is as good as before, and the same call may
/// work in a moment. Where transactions are `serializable` or `repeatable read` by default this is how
/// batches learn of each other, and where there is a lock time-out how they wait for each other's ledger.
/// (One of a batch's own, 1 ms long, may also strike when what it was set for is over.)
pub(crate) fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    said_by_the_server(error).is_some_and(|said| {
        [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ]
        .contains(said.code())
    })
}

/// What the server said, where the error or one of its causes is something that it said.
pub(crate) fn said_by_the_server<'error>(
    error: &'error (dyn std::error::Error + 'static),
) -> Option<&'error DbError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(database) = error.downcast_ref::<tokio_postgres::Error>() {
            return database.as_db_error();
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_are_sorted_by_what_can_be_done_about_them() {
        let cases = [
            ("42883", ErrorKind::Schema),
            ("3F000", ErrorKind::Schema),
            ("57014", ErrorKind::Timeout),
            ("55P03", ErrorKind::Timeout),
            ("28P01", ErrorKind::Access),
            ("3D000", ErrorKind::Access),
            ("57P01", ErrorKind::Connection),
            ("08006", ErrorKind::Connection),
            ("53300", ErrorKind::Database),
            ("XX000", ErrorKind::Database),
        ];

        for (code, kind) in cases {
            assert_eq!(
                ErrorKind::of_sqlstate(&SqlState::from_code(code)),
                kind,
                "{code}"
            );
        }
    }
}
