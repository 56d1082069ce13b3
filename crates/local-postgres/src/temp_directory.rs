use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// What follows the temp directory in the path of the server's socket.
const SOCKET_SUFFIX: &str = "/lead-mover-xxxxxx/socket/.s.PGSQL.5432";
/// The size of a socket address on macOS, with its closing zero; Linux has four bytes more.
const SOCKET_PATH_LIMIT: usize = 104;
/// Short, and open to everyone.
const FALLBACK: &str = "/tmp";

/// The system's temp directory, or `/tmp` where a server cannot work in that.
pub(super) fn choose(for_another_account: bool) -> PathBuf {
    or_fallback(tempfile::env::temp_dir(), for_another_account)
}

fn or_fallback(temp_directory: PathBuf, for_another_account: bool) -> PathBuf {
    let Some(objection) = objection_to(&temp_directory, for_another_account) else {
        return temp_directory;
    };
    tracing::warn!(
        temp_directory = %temp_directory.display(),
        "the private PostgreSQL goes to {FALLBACK}: the temp directory {objection}"
    );
    FALLBACK.into()
}

fn objection_to(temp_directory: &Path, for_another_account: bool) -> Option<&'static str> {
    if temp_directory.as_os_str().len() + SOCKET_SUFFIX.len() >= SOCKET_PATH_LIMIT {
        return Some("is too long: a unix socket's path has to be shorter than 104 bytes");
    }
    if !temp_directory.is_absolute() {
        return Some("is relative, and a unix socket's path has to be absolute");
    }
    // libpq and the server take the value for a list of hosts.
    if temp_directory
        .to_str()
        .is_none_or(|path| path.contains(','))
    {
        return Some("has a comma in its name, or is not UTF-8");
    }
    if for_another_account && !is_open_to_everyone(temp_directory) {
        return Some("is closed to the unprivileged user that PostgreSQL has to run as");
    }
    None
}

/// Whether any user can reach the directory and create and remove directories of its own there.
fn is_open_to_everyone(directory: &Path) -> bool {
    let allows = |path: &Path, bits| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & bits == bits)
    };
    // One that does not exist is not closed: creating something in it reports what is wrong.
    fs::canonicalize(directory).map_or(true, |path| {
        allows(&path, 0o003) && path.ancestors().all(|ancestor| allows(ancestor, 0o001))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, io};

    use super::*;

    #[test]
    fn a_temp_directory_that_cannot_hold_a_socket_is_replaced() {
        for unusable in [
            format!("/{}", "long/".repeat(20)),
            "tmp".into(),
            "/tmp/a,b".into(),
        ] {
            assert_eq!(or_fallback(unusable.into(), false), Path::new(FALLBACK));
        }
        // What macOS gives each of its users.
        let macos = PathBuf::from("/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/");
        assert_eq!(or_fallback(macos.clone(), false), macos);
    }

    #[test]
    fn a_private_temp_directory_is_good_for_its_owner_only() -> io::Result<()> {
        let private = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(FALLBACK)?;
        assert_eq!(or_fallback(private.path().into(), false), private.path());
        assert_eq!(
            or_fallback(private.path().into(), true),
            Path::new(FALLBACK)
        );
        Ok(())
    }
}
