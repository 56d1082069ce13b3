//! `postgresql://[user[:password]@][host[:port],…][/dbname][?name=value&…]`
//! (manual, section 34.1.1.2), read the way libpq reads it, which is not that of web addresses:
//! the first `@` before any `/` ends the password, and `#` means nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::error::ConnectionStringError;

/// Parameters in whose values an `@` is likely meant.
const MAY_HOLD_AT: [&str; 5] = ["application_name", "dbname", "options", "password", "user"];

/// The parameters in what follows `postgresql://`; the last of several with one name counts.
pub(super) fn parameters(url: &str) -> Result<BTreeMap<String, String>, ConnectionStringError> {
    let mut parameters = BTreeMap::new();

    let (user_info, rest) = match url.find(['@', '/']) {
        Some(at) if url[at..].starts_with('@') => (Some(&url[..at]), &url[at + 1..]),
        _ => (None, url),
    };
    if let Some(user_info) = user_info {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        parameters.insert("user".to_owned(), decode(user)?);
        parameters.insert("password".to_owned(), decode(password)?);
    }

    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if place.contains('@') {
        return Err(ConnectionStringError::UnencodedCharacter);
    }
    let (servers, dbname) = place.split_once('/').unwrap_or((place, ""));
    parameters.insert("dbname".to_owned(), decode(dbname)?);
    add_servers(&mut parameters, servers)?;
    add_query(&mut parameters, query)?;
    Ok(parameters)
}

/// `host:port,host:port` becomes the two lists that keyword strings have.
fn add_servers(
    parameters: &mut BTreeMap<String, String>,
    servers: &str,
) -> Result<(), ConnectionStringError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for server in servers.split(',') {
        let (host, port) = match server.strip_prefix('[') {
            Some(bracketed) => bracketed
                .split_once(']')
                .filter(|(_, port)| port.is_empty() || port.starts_with(':'))
                .ok_or(ConnectionStringError::BracketedAddress)?,
            None => server.split_at(server.find(':').unwrap_or(server.len())),
        };
        hosts.push(decode(host)?);
        ports.push(decode(port.strip_prefix(':').unwrap_or(port))?);
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        parameters.insert("host".to_owned(), hosts.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        parameters.insert("port".to_owned(), ports.join(","));
    }
    Ok(())
}

fn add_query(
    parameters: &mut BTreeMap<String, String>,
    query: &str,
) -> Result<(), ConnectionStringError> {
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // A password such as `a@b?c=d` leaves the `@` before the host here. Its pieces would be
        // taken for a host and a parameter, and be shown as such.
        if parameter.contains('@') && !MAY_HOLD_AT.contains(&name) {
            return Err(ConnectionStringError::UnencodedCharacter);
        }
        if !parameter.contains('=') {
            return Err(ConnectionStringError::UrlParameter);
        }
        parameters.insert(decode(name)?, decode(value)?);
    }
    Ok(())
}

/// As strict as libpq: what cannot be decoded is an error, not taken as it stands, for a password
/// with a bare `%` would be read differently by each program.
fn decode(text: &str) -> Result<String, ConnectionStringError> {
    let complete = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits != b"00" && digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !complete {
        return Err(ConnectionStringError::PercentEncoding);
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| ConnectionStringError::PercentEncoding)
}
