//! Ids of runs, funnels and columns, which have whatever type the mapping gives them.

use std::error::Error;
use std::fmt;

use bytes::{BufMut as _, BytesMut};
use postgres_types::{Format, FromSql, IsNull, ToSql, Type};
use serde::Serialize;
use serde_json::Value;

/// An id, as the server's `to_jsonb` has it: a number is a number, anything else is a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Id(Value);

/// Without quotes, as a command takes it.
impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => formatter.write_str(text),
            other => other.fmt(formatter),
        }
    }
}

impl<'a> FromSql<'a> for Id {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Value::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <Value as FromSql>::accepts(ty)
    }
}

/// The text of an id, which the server reads as an input of the parameter's type, whatever that is. Its declared type
/// is [`Type::UNKNOWN`], as that of a literal in quotes.
#[derive(Debug)]
pub(super) struct IdText<'a>(pub(super) &'a str);

impl ToSql for IdText<'_> {
    fn to_sql(
        &self,
        _ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UNKNOWN
    }

    fn encode_format(&self, _ty: &Type) -> Format {
        Format::Text
    }

    postgres_types::to_sql_checked!();
}
