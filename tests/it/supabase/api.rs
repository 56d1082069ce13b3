//! A stand-in for PostgREST, which no package registry has: `POST /rest/v1/rpc/FUNCTION`. As PostgREST does it, it logs
//! in as `authenticator`, and in the call's transaction sets the role of the caller's token, that role's own settings,
//! and the token's claims. A token is its claims as JSON in hexadecimal, and is not verified.

use std::fmt::Write as _;

use pg_connection::ConnectionSettings;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_postgres::Transaction;

use super::project::Project;

/// Serves as long as it lives.
pub(super) struct Api {
    address: String,
    _accepting: JoinSet<()>,
}

impl Api {
    pub(super) async fn of(project: &Project) -> Self {
        let settings: ConnectionSettings = project
            .connection_string("authenticator")
            .parse()
            .expect("a connection string");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                serve(client, &settings).await;
            }
        });
        Self {
            address,
            _accepting: accepting,
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// The token of a caller with that role.
pub(super) fn token(role: &str, subject: &str) -> String {
    let claims = json!({ "role": role, "sub": subject }).to_string();
    claims.bytes().fold(String::new(), |mut token, byte| {
        write!(token, "{byte:02x}").expect("a string takes any text");
        token
    })
}

/// One request a connection.
async fn serve(client: TcpStream, settings: &ConnectionSettings) {
    let mut client = BufReader::new(client);
    let (mut path, mut token, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.expect("a line");
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("POST /rest/v1/rpc/") {
            path = rest.split([' ', '?']).next().expect("a path").to_owned();
        } else if let Some((name, value)) = line.split_once(": ") {
            match name.to_lowercase().as_str() {
                "authorization" => token = value.replace("Bearer ", ""),
                "content-length" => length = value.parse().expect("a number"),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.expect("the body");
    let (status, answer) = call(settings, &path, &token, &String::from_utf8_lossy(&body)).await;
    let answer = answer.to_string();
    let response = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    client
        .write_all(response.as_bytes())
        .await
        .expect("it is read");
}

/// The status and the body of the response.
async fn call(
    settings: &ConnectionSettings,
    function: &str,
    token: &str,
    parameters: &str,
) -> (u16, Value) {
    let mut session = pg_connection::open_session(settings, "postgrest")
        .await
        .expect("it opens");
    let transaction = session.transaction().await.expect("it begins");
    let statement = statement(&transaction, function, parameters).await;
    let role = take_role(&transaction, token).await;
    let outcome = match statement {
        Some(statement) => transaction.query_one(&statement, &[]).await,
        None => {
            return (
                404,
                json!({ "code": "PGRST202", "message": "no such function", "hint": null, "details": null }),
            );
        }
    };
    match outcome {
        Ok(row) => {
            transaction.commit().await.expect("it commits");
            (200, row.get(0))
        }
        Err(error) => {
            let error = error.as_db_error().expect("an error of the server");
            let status = match error.code().code() {
                "42501" if role == "anon" => 401,
                "42501" => 403,
                _ => 400,
            };
            let (message, hint, details) = (error.message(), error.hint(), error.detail());
            (
                status,
                json!({ "code": error.code().code(), "message": message, "hint": hint, "details": details }),
            )
        }
    }
}

/// The call with named parameters, as a query for one value of JSON. None where there is no such function.
async fn statement(
    transaction: &Transaction<'_>,
    function: &str,
    parameters: &str,
) -> Option<String> {
    let row = transaction
        .query_opt(
            "select format(
               case when p.proretset
                 then 'select coalesce(json_agg(r), ''[]'') from public.%I(%s) r'
                 else 'select to_json(public.%I(%s))'
               end,
               p.proname,
               (select string_agg(format('%I => %L', v.key, v.value), ', ') from jsonb_each_text($2::text::jsonb) v)
             )
             from pg_proc p
             where p.pronamespace = 'public'::regnamespace
               and p.proname = $1::text",
            &[&function, &if parameters.is_empty() { "{}" } else { parameters }],
        )
        .await
        .expect("the server answers");
    row.map(|row| row.get(0))
}

/// For the rest of the transaction.
async fn take_role(transaction: &Transaction<'_>, token: &str) -> String {
    transaction
        .query_one(
            "with claims as (
               select convert_from(decode($1::text, 'hex'), 'UTF8')::jsonb as claims
             ),
             own_settings as (
               select set_config(split_part(s.setting, '=', 1), split_part(s.setting, '=', 2), true)
               from claims c
               join pg_roles r on r.rolname = c.claims ->> 'role'
               cross join unnest(r.rolconfig) as s (setting)
             )
             select
               c.claims ->> 'role',
               set_config('request.jwt.claims', c.claims::text, true),
               (select count(*) from own_settings),
               set_config('role', c.claims ->> 'role', true)
             from claims c",
            &[&token],
        )
        .await
        .expect("the role is there")
        .get(0)
}
