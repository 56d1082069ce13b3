//! The one place that decides what an error of the database means.

use strum::{IntoStaticStr, VariantArray};
use tokio_postgres::error::{DbError, SqlState};

/// The kind of an error: the label `kind` of `lead_mover_errors_total`, and what is advised.
///
/// After any of them the service tries again on a new connection, because each can be fixed while it
/// runs: a server that is down, a password that is being changed, a schema still to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ErrorKind {
    /// The server cannot be reached, or the connection broke.
    Connection,
    /// The server is there and denies access: wrong password, no such database, no permission.
    Access,
    /// The functions are not there, or not those of this binary.
    Schema,
    /// A statement or a lock took too long, or was cancelled.
    Timeout,
    /// Any other error of the server.
    Database,
}

impl ErrorKind {
    /// Decides by the SQLSTATE found in the error or in one of its causes (PostgreSQL manual,
    /// appendix A).
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        db_error(error).map_or(Self::Connection, |error| Self::of_sqlstate(error.code()))
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

    /// What the operator can do about it, where something can be advised.
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
/// A statement that was cancelled from outside, as by `pg_cancel_backend`, is of that kind, too.
pub(crate) fn is_retryable(error: &(dyn std::error::Error + 'static)) -> bool {
    db_error(error).is_some_and(|error| {
        [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
        ]
        .contains(error.code())
    })
}

/// The server's own error, where it is the error or one of its causes.
pub(crate) fn db_error<'error>(
    error: &'error (dyn std::error::Error + 'static),
) -> Option<&'error DbError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(client_error) = error.downcast_ref::<tokio_postgres::Error>() {
            return client_error.as_db_error();
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
