//! What a command prints. A reader that has seen enough (`| head`) ends it quietly.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// Prints a line on standard output.
pub(super) fn say(line: impl Display) {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            // Where not even this can be said there is nobody to say it to.
            let _said = writeln!(
                std::io::stderr(),
                "error: cannot write to standard output: {error}"
            );
            std::process::exit(1)
        }
        Ok(()) => {}
    }
}
