use std::{
    env,
    error::Error,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, getpgid},
};

use super::{Durability, LocalPostgres, LocalPostgresError, quoted};

type TestResult = Result<(), Box<dyn Error>>;

const STATE_TIMEOUT: Duration = Duration::from_secs(60);
/// Set for the test binary when it runs again, as the owner that is killed.
const OWNER_ROLE: &str = "LEAD_MOVER_TEST_OWNER_ROLE";

#[test]
fn a_started_server_accepts_its_superuser() -> TestResult {
    let postgres = LocalPostgres::start(Durability::Full)?;
    assert!(accepts_superuser(&postgres.directory.socket())?);
    Ok(())
}

#[test]
fn stopping_leaves_no_directory_and_no_process_and_may_be_repeated() -> TestResult {
    let mut postgres = LocalPostgres::start(Durability::None)?;
    let directory = postgres.directory.path().to_owned();
    let processes = [
        pid(postgres.pid())?,
        pid(Some(postgres.cleanup_process.pid()))?,
    ];
    assert!(postgres.data_directory().starts_with(&directory) && directory.exists());

    postgres.stop()?;
    assert!(!directory.exists());
    for process in processes {
        // Not even as a zombie.
        assert_eq!(kill(process, None), Err(Errno::ESRCH));
    }
    assert_eq!(postgres.pid(), None);
    assert!(postgres.log()?.contains("received fast shutdown request"));
    postgres.stop()?;
    Ok(())
}

#[test]
fn a_server_that_is_kept_runs_until_the_printed_command_stops_it() -> TestResult {
    let postgres = LocalPostgres::start(Durability::None)?;
    let directory = postgres.directory.path().to_owned();
    let cleanup_process = pid(Some(postgres.cleanup_process.pid()))?;

    let command = postgres.keep_running()?;

    assert_eq!(kill(cleanup_process, None), Err(Errno::ESRCH));
    assert!(accepts_superuser(&directory.join("socket"))?);
    assert!(
        Command::new("/bin/sh")
            .args(["-c", &command])
            .status()?
            .success()
    );
    assert!(!directory.exists());
    Ok(())
}

#[test]
fn dropping_stops_the_server_and_removes_its_directory() -> TestResult {
    let postgres = LocalPostgres::start(Durability::None)?;
    let directory = postgres.directory.path().to_owned();
    let server = pid(postgres.pid())?;
    drop(postgres);
    assert!(!directory.exists());
    assert_eq!(kill(server, None), Err(Errno::ESRCH));
    Ok(())
}

#[test]
fn a_killed_server_restarts_on_its_data() -> TestResult {
    let mut postgres = LocalPostgres::start(Durability::None)?;
    let killed = pid(postgres.pid())?;
    kill(killed, Signal::SIGKILL)?;
    postgres.restart()?;
    assert_ne!(pid(postgres.pid())?, killed);
    assert!(accepts_superuser(&postgres.directory.socket())?);
    assert!(postgres.log()?.contains("automatic recovery in progress"));
    Ok(())
}

#[test]
fn a_running_server_restarts_without_recovery() -> TestResult {
    let mut postgres = LocalPostgres::start(Durability::None)?;
    postgres.restart()?;
    assert!(accepts_superuser(&postgres.directory.socket())?);
    assert!(!postgres.log()?.contains("automatic recovery in progress"));
    Ok(())
}

#[test]
fn a_server_that_cannot_start_is_reported_with_the_end_of_its_log() -> TestResult {
    let mut postgres = LocalPostgres::start(Durability::None)?;
    fs::write(
        postgres.data_directory().join("postgresql.auto.conf"),
        "no_such_setting = 1\n",
    )?;
    let failure = postgres.restart().err().ok_or("the server started")?;
    assert!(
        matches!(failure, LocalPostgresError::ServerEnded { .. }),
        "{failure:?}"
    );
    assert!(failure.to_string().contains("no_such_setting"), "{failure}");
    assert_eq!(postgres.pid(), None);
    Ok(())
}

#[test]
fn an_interrupt_from_the_terminal_reaches_neither_server_nor_cleanup_process() -> TestResult {
    let postgres = LocalPostgres::start(Durability::None)?;
    // A terminal signals a process group as a whole.
    for process in [
        pid(postgres.pid())?,
        pid(Some(postgres.cleanup_process.pid()))?,
    ] {
        assert_eq!(getpgid(Some(process))?, process);
    }
    Ok(())
}

#[test]
fn a_killed_owner_leaves_neither_server_nor_directory() -> TestResult {
    let mut owner = Command::new(env::current_exe()?)
        .args([
            "--ignored",
            "--exact",
            "tests::the_owner_to_be_killed",
            "--nocapture",
        ])
        .env(OWNER_ROLE, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(owner.stdout.take().ok_or("no standard output")?);
    let mut report = None;
    for line in output.lines() {
        // The test harness writes its own words before ours, on the same line.
        if let Some((_, found)) = line?.split_once("owner of ") {
            report = Some(found.to_owned());
            break;
        }
    }
    let report = report.ok_or("the owner ended before its server had started")?;
    let mut words = report.splitn(3, ' ');
    let mut process = || pid(words.next().and_then(|word| word.parse().ok()));
    let (server, cleanup_process) = (process()?, process()?);
    let directory = PathBuf::from(words.next().ok_or("no directory")?);
    assert!(is_running(server)? && is_running(cleanup_process)? && directory.exists());

    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        kill(cleanup_process, signal)?;
    }
    owner.kill()?;
    owner.wait()?;

    let deadline = Instant::now() + STATE_TIMEOUT;
    while directory.exists() || is_running(server)? || is_running(cleanup_process)? {
        assert!(Instant::now() < deadline, "still there: {report}");
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
#[ignore = "not a test of its own: the one above runs it in the process that it kills"]
fn the_owner_to_be_killed() -> TestResult {
    if env::var_os(OWNER_ROLE).is_none() {
        return Ok(());
    }
    let postgres = LocalPostgres::start(Durability::None)?;
    let (server, cleanup_process) = (pid(postgres.pid())?, postgres.cleanup_process.pid());
    let directory = postgres.directory.path().display();
    writeln!(
        io::stdout(),
        "owner of {server} {cleanup_process} {directory}"
    )?;
    // Ends only if the test above ends first.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

#[test]
fn values_of_a_connection_string_are_quoted_where_needed() {
    assert_eq!(
        quoted("/tmp/lead-mover-x/socket"),
        "/tmp/lead-mover-x/socket"
    );
    assert_eq!(quoted(r"it's a\b"), r"'it\'s a\\b'");
    assert_eq!(quoted(""), "''");
}

fn pid(id: Option<u32>) -> Result<Pid, Box<dyn Error>> {
    Ok(Pid::from_raw(i32::try_from(id.ok_or("no process")?)?))
}

/// An orphan that has ended stays a zombie where the first process of a container reaps none.
fn is_running(process: Pid) -> Result<bool, Errno> {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    if state
        .rsplit_once(')')
        .is_some_and(|(_, state)| state.trim_start().starts_with('Z'))
    {
        return Ok(false);
    }
    match kill(process, None) {
        Ok(()) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Speaks just enough of the protocol to be let in: a startup message, answered by an
/// authentication request, and its payload zero for "no password needed".
fn accepts_superuser(socket: &Path) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket.join(".s.PGSQL.5432"))?;
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    message.extend(b"user\0postgres\0database\0postgres\0\0");
    message[3] = u8::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&message)?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer)?;
    Ok(answer == [b'R', 0, 0, 0, 8, 0, 0, 0, 0])
}
