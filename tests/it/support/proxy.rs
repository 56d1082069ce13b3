//! A TCP proxy before the tests' PostgreSQL, that delays, swallows and cuts as it is told.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What goes wrong with the bytes of every connection, those that are open included.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "faults that come alone or together"
)]
pub(crate) struct Faults {
    /// How much later they arrive, each way.
    pub(crate) delay: Duration,
    /// What comes from the client is taken and forgotten.
    pub(crate) swallow_to_server: bool,
    /// What comes from the server is taken and forgotten.
    pub(crate) swallow_to_client: bool,
    /// A connection is cut when its server has said that a command is complete, and before it says that
    /// it is ready: the commit is done, and the client cannot know.
    pub(crate) cut_after_command: bool,
    /// No notification gets through, as behind a transaction-mode pooler.
    pub(crate) deaf: bool,
    /// A session opens, and nothing that it is asked gets an answer.
    pub(crate) silent_once_open: bool,
}

/// Forwards as long as it lives.
pub(crate) struct Proxy {
    address: SocketAddr,
    server: Config,
    controls: Controls,
    _accepting: JoinSet<()>,
}

#[derive(Clone)]
struct Controls {
    faults: watch::Sender<Faults>,
    /// Goes up when all connections are to be cut.
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// Before the server that the connection string names.
    pub(crate) async fn before(connection_string: &str) -> Self {
        let server: Config = connection_string.parse().expect("a connection string");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it has one");
        let controls = Controls {
            faults: watch::Sender::new(Faults::default()),
            cuts: watch::Sender::new(0),
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server.clone(), controls.clone()));
        Self {
            address,
            server,
            controls,
            _accepting: accepting,
        }
    }

    /// The same database, through the proxy.
    pub(crate) fn connection_string(&self) -> String {
        format!(
            "host=127.0.0.1 port={} user={} dbname={} sslmode=disable",
            self.address.port(),
            self.server.get_user().expect("a user"),
            self.server.get_dbname().expect("a database"),
        )
    }

    /// The same as a URL.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgresql://{}@127.0.0.1:{}/{}?sslmode=disable",
            self.server.get_user().expect("a user"),
            self.address.port(),
            self.server.get_dbname().expect("a database"),
        )
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.controls.faults.send_replace(faults);
    }

    /// Ends every connection, as a server does that dies.
    pub(crate) fn cut(&self) {
        self.controls.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn accept(listener: TcpListener, server: Config, controls: Controls) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(serve(client, server.clone(), controls.clone()));
    }
}

async fn serve(client: TcpStream, server: Config, controls: Controls) {
    client.set_nodelay(true).expect("it can be set");
    let port = server.get_ports().first().copied().unwrap_or(5432);
    // Where the server is not there the client is cut off, as by the server itself.
    match &server.get_hosts()[0] {
        Host::Unix(directory) => {
            let socket = directory.join(format!(".s.PGSQL.{port}"));
            if let Ok(server) = UnixStream::connect(socket).await {
                forward(client.into_split(), server.into_split(), controls).await;
            }
        }
        Host::Tcp(host) => {
            if let Ok(server) = TcpStream::connect((host.as_str(), port)).await {
                forward(client.into_split(), server.into_split(), controls).await;
            }
        }
    }
}

/// Until one of them ends the connection, or it is cut.
async fn forward(
    (from_client, to_client): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    (from_server, to_server): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    controls: Controls,
) {
    let faults = controls.faults.subscribe();
    let mut cuts = controls.cuts.subscribe();
    tokio::select! {
        () = pump(from_client, to_server, &faults, |faults| faults.swallow_to_server, None) => {}
        () = pump(
            from_server,
            to_client,
            &faults,
            |faults| faults.swallow_to_client,
            Some(Frames::default()),
        ) => {}
        _ = cuts.changed() => {}
    }
}

/// Reads, and writes what was read when its time has come; so a delay does not make it any narrower.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    faults: &watch::Receiver<Faults>,
    swallows: impl Fn(&Faults) -> bool,
    mut frames: Option<Frames>,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let faults = *faults.borrow();
            if swallows(&faults) {
                continue;
            }
            let (bytes, last) = match &mut frames {
                Some(frames) => frames.pass(&buffer[..read], &faults),
                None => (buffer[..read].to_vec(), false),
            };
            let sent = sender.send((Instant::now() + faults.delay, bytes));
            if last || sent.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let writing = async {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(reading, writing);
}

/// The server's messages (PostgreSQL manual, 55.7): a letter, and a length that counts itself.
#[derive(Default)]
struct Frames {
    /// What came of a message whose end has not come.
    begun: Vec<u8>,
    is_open: bool,
}

impl Frames {
    /// The messages that get through despite the faults; `true` where the connection ends after them.
    fn pass(&mut self, bytes: &[u8], faults: &Faults) -> (Vec<u8>, bool) {
        self.begun.extend(bytes);
        let mut passed = Vec::new();
        let mut start = 0;
        while let Some(length) = length_of_first(&self.begun[start..]) {
            let message = &self.begun[start..start + length];
            start += length;
            let is_notification = message[0] == b'A';
            if !(faults.deaf && is_notification || faults.silent_once_open && self.is_open) {
                passed.extend(message);
            }
            self.is_open |= message[0] == b'Z';
            if faults.cut_after_command && message[0] == b'C' {
                return (passed, true);
            }
        }
        self.begun.drain(..start);
        (passed, false)
    }
}

/// How long the first message is, if all of it is there.
fn length_of_first(bytes: &[u8]) -> Option<usize> {
    let length: [u8; 4] = bytes.get(1..5)?.try_into().expect("four bytes");
    let length = 1 + u32::from_be_bytes(length) as usize;
    (bytes.len() >= length).then_some(length)
}
