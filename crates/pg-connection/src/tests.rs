//! Against a server of a few lines that answers with prepared bytes.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use super::*;

/// Takes one connection, gives each message the next answer, and returns what was sent after the
/// last answer.
fn server(answers: Vec<Vec<u8>>) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in answers {
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let length = u32::from_be_bytes(length) as usize;
            stream.read_exact(&mut vec![0; length - 4]).unwrap();
            stream.write_all(&answer).unwrap();
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    (port, thread)
}

/// An `ErrorResponse` (manual, section 55.7).
fn error_response(code: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}

async fn failure(text: &str) -> ConnectError {
    match connect(&text.parse().unwrap(), "test").await {
        Ok(_) => panic!("{text} connected"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_servers_error_is_one_line_with_its_sqlstate() {
    let denial = error_response("28P01", "password authentication failed\n for user \"u\"");
    let (port, server) = server(vec![denial]);
    let error = failure(&format!(
        "postgres://u:s3cr3t@127.0.0.1:{port}/db?sslmode=disable"
    ))
    .await;

    let context = format!("cannot connect to 127.0.0.1:{port}/db as u");
    assert_eq!(error.to_string(), context);
    assert_eq!(
        describe(&error),
        format!("{context}: password authentication failed for user \"u\" (28P01)")
    );
    assert!(error.source().is_some());
    assert!(!format!("{error:?}").contains("s3cr3t"));
    assert_eq!(server.join().unwrap(), b"");
}

#[tokio::test]
async fn require_sends_nothing_to_a_server_without_tls() {
    let (port, server) = server(vec![b"N".to_vec()]);
    let error = failure(&format!(
        "postgres://u:s3cr3t@127.0.0.1:{port}/db?sslmode=require"
    ))
    .await;

    assert!(describe(&error).ends_with("server does not support TLS"));
    assert_eq!(server.join().unwrap(), b"");
}

#[tokio::test]
async fn prefer_goes_on_in_plain_text_with_a_server_without_tls() {
    let denial = error_response("3D000", "no such database");
    let (port, server) = server(vec![b"N".to_vec(), denial]);
    let error = failure(&format!("host=127.0.0.1 port={port} user=u")).await;

    assert!(describe(&error).ends_with("no such database (3D000)"));
    server.join().unwrap();
}

#[tokio::test]
async fn direct_negotiation_begins_with_tls_and_names_the_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut hello = vec![0; 2048];
        let length = listener.accept().unwrap().0.read(&mut hello).unwrap();
        hello.truncate(length);
        hello
    });
    failure(&format!(
        "host=127.0.0.1 port={port} user=u sslmode=require sslnegotiation=direct"
    ))
    .await;

    let hello = server.join().unwrap();
    assert_eq!(hello.first(), Some(&22), "a TLS handshake record");
    assert!(hello.windows(10).any(|bytes| bytes == b"postgresql"));
}

#[tokio::test]
async fn unusable_root_certificates_stop_everything_but_sockets() {
    let error = failure("host=127.0.0.1 port=1 sslmode=verify-full sslrootcert=/no/ca.crt").await;
    assert!(matches!(error, ConnectError::Tls(_)));
    assert!(describe(&error).starts_with("cannot read the root certificates in /no/ca.crt: "));

    let error = failure("host=/no/directory sslmode=verify-full sslrootcert=/no/ca.crt").await;
    assert!(describe(&error).contains("No such file or directory"));
    assert!(matches!(error, ConnectError::Connect { .. }));
}

#[test]
fn a_cause_that_was_said_already_is_not_said_again() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read: {0}")]
    struct Outer(#[source] std::io::Error);

    let error = Outer(std::io::Error::other("disk on fire"));
    assert_eq!(describe(&error), "cannot read: disk on fire");
}
