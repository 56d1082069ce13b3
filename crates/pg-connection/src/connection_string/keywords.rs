//! `host=localhost password='it\'s'` (manual, section 34.1.1.1): spaces around `=` are allowed, a
//! value with spaces is in single quotes, and a backslash takes the next character as it is.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::error::ConnectionStringError;

/// The parameters of a keyword string; the last of several with one name counts.
pub(super) fn parameters(text: &str) -> Result<BTreeMap<String, String>, ConnectionStringError> {
    let mut parameters = BTreeMap::new();
    let mut rest = text.chars().peekable();
    loop {
        skip_spaces(&mut rest);
        if rest.peek().is_none() {
            return Ok(parameters);
        }
        let name = name(&mut rest)?;
        skip_spaces(&mut rest);
        let value = match rest.next_if_eq(&'\'') {
            Some(_) => quoted(&mut rest)?,
            None => unquoted(&mut rest),
        };
        parameters.insert(name, value);
    }
}

/// Up to and with the `=`.
fn name(rest: &mut Peekable<Chars<'_>>) -> Result<String, ConnectionStringError> {
    let mut name = String::new();
    while let Some(c) = rest.next_if(|&c| c != '=' && !c.is_whitespace()) {
        name.push(c);
    }
    skip_spaces(rest);
    match rest.next() {
        Some('=') if !name.is_empty() => Ok(name),
        _ => Err(ConnectionStringError::KeywordSyntax),
    }
}

fn unquoted(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(c) = rest.next_if(|c| !c.is_whitespace()) {
        let c = if c == '\\' { rest.next() } else { Some(c) };
        value.extend(c);
    }
    value
}

/// What is left after the opening quote, with the closing one.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, ConnectionStringError> {
    let mut value = String::new();
    loop {
        match rest.next() {
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(rest.next()),
            Some(c) => value.push(c),
            None => return Err(ConnectionStringError::UnterminatedQuote),
        }
    }
}

fn skip_spaces(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}
