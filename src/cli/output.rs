//! What a command prints. A closed pipe (`| head`) ends it without an error.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// Prints a line on standard output.
pub(super) fn print_line(line: impl Display) {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            // Where not even this can be written nothing is left to do.
            let _written = writeln!(
                std::io::stderr(),
                "error: cannot write to standard output: {error}"
            );
            std::process::exit(1)
        }
        Ok(()) => {}
    }
}
