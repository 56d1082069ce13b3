//! `lead-mover health`: asks a running service, where there is no HTTP client, as in a container
//! without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use clap::Args;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::failure::WrongUse;
use super::output::print_line;
use crate::config::HttpArgs;

/// A service that lives answers at once.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes; more than either page has.
const LONGEST_ANSWER: usize = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    http: HttpArgs,
    /// Ask whether it is ready (database reached, schema current, notifications coming in), not only whether
    /// it lives
    #[arg(long)]
    ready: bool,
}

impl HealthArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let http_addr = self.http.http_addr;
        if http_addr.port() == 0 {
            let text = "which port the service took is not known here: give it as --http-addr";
            return Err(WrongUse(text.to_owned()).into());
        }
        let address = reachable(http_addr);
        let page = if self.ready { "/readyz" } else { "/healthz" };
        let (status, body) = tokio::time::timeout(HEALTH_TIMEOUT, ask(address, page))
            .await
            .with_context(|| format!("{address} did not answer within {HEALTH_TIMEOUT:?}"))?
            .with_context(|| format!("cannot ask {address}"))?;
        print_line(body.trim_end());
        ensure!(
            status == StatusCode::OK,
            "{address}{page} answered {status}"
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A service that listens everywhere is asked on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

async fn ask(address: SocketAddr, page: &str) -> anyhow::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(page)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .body(Body::empty())?;
    let asking = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), LONGEST_ANSWER).await?;
        anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection has to be polled.
    let (answer, _closed) = tokio::join!(asking, connection);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_listens_everywhere_is_asked_on_this_machine() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.7:9000", "10.0.0.7:9000"),
        ] {
            let listens: SocketAddr = listens.parse().unwrap();
            assert_eq!(reachable(listens).to_string(), asked);
        }
    }
}
