//! What a command prints. A closed pipe (`| head`) ends it without an error. Nothing here panics, as
//! `println!` and `eprintln!` do where they cannot write.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// Prints a line on standard output.
pub(super) fn print_line(line: impl Display) {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            print_error_line(format_args!(
                "error: cannot write to standard output: {error}"
            ));
            std::process::exit(1)
        }
        Ok(()) => {}
    }
}

/// Prints a line on standard error. A line that cannot be written is lost: the exit status has to tell.
pub(super) fn print_error_line(line: impl Display) {
    let _written = writeln!(std::io::stderr(), "{line}");
}
