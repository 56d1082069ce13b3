//! PostgreSQL's programs once more, with an extension directory that is the tests' to write.
//!
//! A server looks for its files where they lie relative to its own program. So a directory has a copy of the
//! programs, and links to everything else, at the same paths below it as the real ones have below `/`. The
//! system's own directories stay as they are.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use local_postgres::{Durability, LocalPostgres, Programs};
use tempfile::TempDir;

/// The programs that a server is made of: each finds the others, and the files, beside itself.
const COPIED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Removed with this value; the server has to be stopped by then.
pub(crate) struct ExtensionDirectory {
    root: TempDir,
    programs: Programs,
    extensions: PathBuf,
}

impl ExtensionDirectory {
    /// With the extensions that the tests' server has.
    pub(crate) async fn new() -> Self {
        // Not that of TMPDIR, which may be closed to the account that the server runs as.
        let root = tempfile::tempdir_in("/tmp").expect("a directory");
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let [bin, share, libraries, modules] = installed().await;
        let programs = copy_of(root.path(), &bin);
        link_all(&bin, &programs, &COPIED);
        for program in COPIED {
            fs::copy(bin.join(program), programs.join(program)).expect("it is copied");
        }
        let shared = copy_of(root.path(), &share);
        link_all(&share, &shared, &["extension"]);
        let extensions = copy_of(root.path(), &share.join("extension"));
        link_all(&share.join("extension"), &extensions, &[]);
        for linked in [&libraries, &modules] {
            link(linked, &below(root.path(), linked));
        }
        Self {
            root,
            programs: Programs::in_directory(programs).expect("they are copied"),
            extensions,
        }
    }

    /// Puts a file there, in place of the one that has the name.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.extensions.join(name);
        let _ = fs::remove_file(&path); // A link would be written through.
        fs::write(path, text).expect("it is written");
    }

    pub(crate) fn programs(&self) -> Programs {
        assert!(self.root.path().exists());
        self.programs.clone()
    }
}

/// The directories of the programs, of what they share, of libraries and of modules, as the server has them.
async fn installed() -> [PathBuf; 4] {
    let server = LocalPostgres::start(Durability::None).expect("PostgreSQL starts");
    let settings = server.connection_string("postgres").parse().unwrap();
    let session = pg_connection::open_session(&settings, "test")
        .await
        .expect("it opens");
    let query = "select setting from pg_config where name = $1";
    let mut directories = Vec::new();
    for name in ["BINDIR", "SHAREDIR", "LIBDIR", "PKGLIBDIR"] {
        let directory: String = super::value(&session, query, &[&name]).await;
        directories.push(fs::canonicalize(directory).expect("it is there"));
    }
    directories.try_into().expect("as many as names")
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").expect("it is absolute"))
}

fn copy_of(root: &Path, directory: &Path) -> PathBuf {
    let copy = below(root, directory);
    fs::create_dir_all(&copy).expect("it is created");
    copy
}

/// Links to all that is in a directory but those names.
fn link_all(directory: &Path, copy: &Path, but: &[&str]) {
    for entry in fs::read_dir(directory).expect("it is a directory") {
        let name = entry.expect("it can be read").file_name();
        if !but.iter().any(|left_out| name == *left_out) {
            link(&directory.join(&name), &copy.join(&name));
        }
    }
}

/// Nothing where there is something already: of two directories one may be in the other.
fn link(path: &Path, link: &Path) {
    if link.exists() {
        return;
    }
    fs::create_dir_all(link.parent().expect("it is below the root")).expect("it is created");
    symlink(path, link).expect("it is linked");
}
