use std::time::Duration;

use super::*;
use crate::{RootCertificates, describe};

/// Present in every password below.
const SECRET: &str = "s3cr3t";

fn settings(text: &str) -> ConnectionSettings {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {}", describe(&error)))
}

fn error(text: &str) -> String {
    match text.parse::<ConnectionSettings>() {
        Ok(settings) => panic!("{text} was taken for {settings}"),
        Err(error) => describe(&error),
    }
}

#[test]
fn reads_what_users_paste() {
    #[rustfmt::skip]
    let table = [
        // The pages of Supabase: direct, session mode, transaction mode.
        ("postgresql://postgres:s3cr3t@db.abcdefgh.supabase.co:5432/postgres",
         "db.abcdefgh.supabase.co:5432/postgres as postgres", "prefer"),
        ("postgres://postgres.abcdefgh:s3cr3t@aws-0-sa-east-1.pooler.supabase.com:6543/postgres?sslmode=require",
         "aws-0-sa-east-1.pooler.supabase.com:6543/postgres as postgres.abcdefgh", "require"),
        // Names and defaults.
        ("postgres://u@h/db?sslmode=disable", "h:5432/db as u", "disable"),
        ("postgres://u@h", "h:5432/u as u", "prefer"),
        ("postgres://u@h/", "h:5432/u as u", "prefer"),
        ("postgresql://u@h?sslmode=allow", "h:5432/u as u", "allow"),
        ("postgres://u:@h:/db", "h:5432/db as u", "prefer"),
        ("postgres://%75ser%40x@h%2Eexample/d%62%2F1", "h.example:5432/db/1 as user@x", "prefer"),
        ("postgres:///db?user=u&host=h&port=1&sslmode=verify-ca", "h:1/db as u", "verify-ca"),
        ("postgres://u@h/db?ssl=true", "h:5432/db as u", "require"),
        ("postgres://u@h/db?ssl=true&sslmode=prefer", "h:5432/db as u", "require"),
        ("postgres://u@h/db?ssl=true&sslmode=verify-full", "h:5432/db as u", "verify-full"),
        ("postgres://u@h/db?sslrootcert=system", "h:5432/db as u", "verify-full"),
        ("  \"postgres://u@h/db\"\n", "h:5432/db as u", "prefer"),
        // Several servers, IPv6, sockets.
        ("postgres://u@h1:1,h2,[::1]:3/db", "h1:1,h2:5432,[::1]:3/db as u", "prefer"),
        ("postgres://u@h1,h2/db?port=7", "h1:7,h2:7/db as u", "prefer"),
        ("postgres://u@[fe80::1]/db", "[fe80::1]:5432/db as u", "prefer"),
        ("postgres://u@%2Ftmp%2Fdir:5433/db", "/tmp/dir:5433/db as u", "prefer"),
        ("postgres://u@localhost/db?host=/tmp/dir", "/tmp/dir:5432/db as u", "prefer"),
        ("postgres:///db?user=u&hostaddr=::1", "[::1]:5432/db as u", "prefer"),
        // Keyword strings.
        ("host=h user=u", "h:5432/u as u", "prefer"),
        ("host = h\tport = 5433\nuser= u dbname='a b' sslmode=verify-full",
         "h:5433/a b as u", "verify-full"),
        (r"host=h user=o\'brien\ x dbname='it\'s'", "h:5432/it's as o'brien x", "prefer"),
        ("host=h1,/tmp/dir port=1,2 user=u", "h1:1,/tmp/dir:2/u as u", "prefer"),
        ("host=name hostaddr=10.0.0.1 user=u", "name:5432/u as u", "prefer"),
        ("host=h user=x user=u password=postgres://s3cr3t", "h:5432/u as u", "prefer"),
        ("password=postgres://s3cr3t host=h user=u", "h:5432/u as u", "prefer"),
    ];
    for (text, expected, mode) in table {
        let settings = settings(text);
        assert_eq!(settings.to_string(), expected, "{text}");
        assert_eq!(settings.ssl_mode().to_string(), mode, "{text}");
        assert_eq!(settings.warnings(), [""; 0], "{text}");
        assert!(!format!("{settings:?}").contains(SECRET), "{text}");
    }
}

#[test]
fn decodes_passwords_and_hands_them_on() {
    for (text, expected) in [
        ("postgres://u:p%40s%2F%23%25s3cr3t@h/db", "p@s/#%s3cr3t"),
        ("postgres://u:a:b#c?d%20s3cr3t@h/db", "a:b#c?d s3cr3t"),
        ("postgres://u@h/db?password=a+b%26s3cr3t", "a+b&s3cr3t"),
        ("postgres:///db?user=u&password=p@s3cr3t", "p@s3cr3t"),
        (
            r"host=h user=u password='a b \' \\ s3cr3t'",
            r"a b ' \ s3cr3t",
        ),
    ] {
        let settings = settings(text);
        assert_eq!(
            settings.config.get_password(),
            Some(expected.as_bytes()),
            "{text}"
        );
        assert!(
            !format!("{settings:?} {settings}").contains(SECRET),
            "{text}"
        );
    }
    assert_eq!(settings("postgres://u:@h").config.get_password(), None);
}

#[test]
fn warns_of_unknown_parameters_by_name_only() {
    let text = "postgres://u@h/db?pgbouncer=s3cr3t1&connection_limit=1&schema=public&\
                supa=base-pooler.x&gssencmode=disable&sslsni=1&a%20b=s3cr3t&target_session_attrs=";
    let expected = [
        "(no readable name)",
        "connection_limit",
        "gssencmode",
        "pgbouncer",
        "schema",
        "sslsni",
        "supa",
    ]
    .map(|name| format!("the connection parameter {name} is not used"));
    assert_eq!(settings(text).warnings(), expected);
}

#[test]
fn warns_of_a_root_certificate_that_nothing_is_checked_against() {
    let settings = settings("postgres://u@h/db?sslrootcert=/ca.crt");
    assert_eq!(settings.verification(), Verification::None);
    assert!(settings.warnings()[0].starts_with("sslrootcert has no effect: sslmode=prefer"));
}

#[test]
fn checks_what_each_sslmode_promises() {
    for (text, expected) in [
        ("host=h sslmode=prefer", Verification::None),
        ("host=h sslmode=require", Verification::None),
        (
            "host=h sslmode=require sslrootcert=/ca.crt",
            Verification::Authority,
        ),
        ("host=h sslmode=verify-ca", Verification::Authority),
        ("host=h sslmode=verify-full", Verification::AuthorityAndHost),
        ("host=/tmp sslmode=verify-full", Verification::None),
        (
            "host=/tmp,h sslmode=verify-full",
            Verification::AuthorityAndHost,
        ),
    ] {
        assert_eq!(settings(text).verification(), expected, "{text}");
    }
    let settings = settings("host=h sslmode=verify-ca sslrootcert=/a%20b");
    assert_eq!(
        settings.root_certificates,
        Some(RootCertificates::File("/a%20b".into()))
    );
}

#[test]
fn never_lets_a_unix_socket_have_tls_nor_a_strict_mode_go_without() {
    use tokio_postgres::config::SslMode;

    let settings = settings("host=/tmp,h user=u sslmode=require");
    let (socket, others) = settings.addresses();
    assert_eq!(settings.config_for(socket).get_ssl_mode(), SslMode::Disable);
    assert_eq!(
        settings.config_for(&others[0]).get_ssl_mode(),
        SslMode::Require
    );
}

#[test]
fn notices_dead_connections_within_a_minute_unless_told_otherwise() {
    let config = settings("host=h user=u").config;
    assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(10)));
    assert_eq!(
        config.get_tcp_user_timeout(),
        Some(&Duration::from_secs(30))
    );
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(30));
    assert_eq!(
        config.get_keepalives_interval(),
        Some(Duration::from_secs(10))
    );
    assert_eq!(config.get_keepalives_retries(), Some(3));

    let config = settings(
        "host=h user=u keepalives_interval='' connect_timeout=2 tcp_user_timeout=1500 keepalives_idle=5 keepalives_count=9",
    )
    .config;
    assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(2)));
    assert_eq!(
        config.get_tcp_user_timeout(),
        Some(&Duration::from_millis(1500))
    );
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(5));
    assert_eq!(config.get_keepalives_retries(), Some(9));
}

#[test]
fn falls_back_on_a_local_socket_and_the_operating_system_user() {
    let settings = settings("postgres://");
    assert!(settings.addresses().0.is_unix_socket());
    let user = User::from_uid(geteuid()).unwrap().unwrap().name;
    assert_eq!((settings.user(), settings.dbname()), (&*user, &*user));
}

#[test]
fn says_what_is_wrong_without_showing_a_password() {
    #[rustfmt::skip]
    let table = [
        ("", "empty"),
        ("https://abcdefgh.supabase.co/s3cr3t", "web address"),
        ("mysql://u:s3cr3t@h/db", "begins with postgres://"),
        ("jdbc:postgresql://h/db?password=s3cr3t", "begins with postgres://"),
        ("DATABASE_URL=postgres://u:s3cr3t@h/db", "variable's name"),
        ("postgresql://postgres:[YOUR-PASSWORD]@h:5432/postgres", "placeholder"),
        ("postgresql://postgres:%5Byour-password%5D@h:5432/postgres", "placeholder"),
        ("postgres://u:s3cr3t@x@h/db", "percent-encoded"),
        ("postgres://u:s3cr3t/x@h/db", "percent-encoded"),
        ("postgres://u:1/s3cr3t@h:5432/db", "percent-encoded"),
        ("postgres://u:1/x?s3cr3t=y@h:5432/db", "percent-encoded"),
        ("postgres://u:p@s3cr3t?s3cr3t=y@h:5432/db", "percent-encoded"),
        ("postgres://u:p@s3cr3t?y@h:5432/db", "percent-encoded"),
        ("postgres://u:s3cr3t/#x", "percent-encoded"),
        ("postgres://u:s3cr3t%@h/db", "%25"),
        ("postgres://u:s3cr3t%zz@h/db", "%25"),
        ("postgres://u:s3cr3t%+1@h/db", "%25"),
        ("postgres://u:s3cr3t%00@h/db", "%25"),
        ("postgres://u:s3cr3t%ff@h/db", "%25"),
        ("postgres://u:s3cr3t@[::1/db", "IPv6"),
        ("postgres://u:s3cr3t@[::1]5432/db", "IPv6"),
        ("postgres://u:s3cr3t@h/db?sslmode", "name=value"),
        ("postgres://u:s3cr3t@h:0/db", "port"),
        ("postgres://u:s3cr3t@h:65536/db", "port"),
        ("postgres://u:s3cr3t@h1:1,h2:2,h3:3/db?port=1,2", "port: 2 given for 3 hosts"),
        ("postgres://u:s3cr3t@h/db?hostaddr=::1,::1", "hostaddr: 2 given for 1 hosts"),
        ("postgres://u:s3cr3t@h/db?hostaddr=h", "hostaddr is not"),
        ("postgres://u:s3cr3t@h/db?sslmode=s3cr3t",
         "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("postgres://u:s3cr3t@h/db?sslmode=", "sslmode must be"),
        ("postgres://u:s3cr3t@h/db?sslmode=Require", "sslmode must be"),
        ("postgres://u:s3cr3t@h/db?ssl=s3cr3t", "ssl is not supported"),
        ("postgres://u:s3cr3t@h/db?sslcert=/x&sslkey=/y", "sslcert is not supported"),
        ("postgres://u:s3cr3t@h/db?sslcrl=s3cr3t", "sslcrl is not supported"),
        ("postgres://u:s3cr3t@h/db?sslMode=require", "sslMode is not supported"),
        ("postgres://u:s3cr3t@h/db?gssencmode=require", "gssencmode is not supported"),
        ("service=s3cr3t", "service is not supported"),
        ("host=h user=u password=s3cr3t connect_timeout=s3cr3t", "connect_timeout has an invalid"),
        ("host=h user=u password=s3cr3t tcp_user_timeout=s3cr3t", "tcp_user_timeout has an invalid"),
        ("host=h user=u password=s3cr3t channel_binding=s3cr3t", "channel_binding has an invalid"),
        ("host=h user=u password='s3cr3t", "closing quote"),
        ("host=h user=u password=x s3cr3t", "single quotes"),
        ("host=h =s3cr3t", "single quotes"),
        ("s3cr3t", "single quotes"),
    ];
    for (text, expected) in table {
        let message = error(text);
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains(SECRET), "{text}: {message}");
        let debug = format!("{:?}", text.parse::<ConnectionSettings>());
        assert!(!debug.contains(SECRET), "{text}: {debug}");
    }
}
