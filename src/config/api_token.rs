//! The key that the old Edge Function's address asks for.

use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A secret; only its checksum is kept, so that comparing takes as long for keys of any length.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken([u8; 32]);

impl ApiToken {
    /// Whether the request brings it, as `Authorization: Bearer …` or as `apikey: …`, as Supabase's
    /// clients send it.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim().as_bytes());
        let api_key = headers.get("apikey").map(HeaderValue::as_bytes);
        // Both are always compared.
        bearer.is_some_and(|key| self.is(key)) | api_key.is_some_and(|key| self.is(key))
    }

    fn is(&self, key: &[u8]) -> bool {
        self.0.ct_eq(&checksum(key)).into()
    }
}

impl FromStr for ApiToken {
    type Err = &'static str;

    /// White space around it is not part of it: files and copied lines bring a line break along.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "" => Err("it is empty; leave it out to serve no such address"),
            key => Ok(Self(checksum(key.as_bytes()))),
        }
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken")
    }
}

fn checksum(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn it_is_found_where_supabase_clients_put_it() {
        let token: ApiToken = " secret\n".parse().unwrap();

        for (name, value, expected) in [
            ("authorization", "Bearer secret", true),
            ("authorization", "bearer secret", true),
            ("apikey", "secret", true),
            ("authorization", "secret", false),
            ("authorization", "Basic secret", false),
            ("authorization", "Bearer secrets", false),
            ("authorization", "Bearer ", false),
            ("apikey", "", false),
            ("apikey", "Secret", false),
            ("x-api-key", "secret", false),
        ] {
            assert_eq!(
                token.is_in(&headers(name, value)),
                expected,
                "{name}: {value}"
            );
        }
        assert!(!token.is_in(&HeaderMap::new()));
    }

    #[test]
    fn blank_is_not_a_token_and_none_is_shown() {
        assert!(" \n".parse::<ApiToken>().is_err());
        assert_eq!(
            format!("{:?}", "secret".parse::<ApiToken>().unwrap()),
            "ApiToken"
        );
    }
}
