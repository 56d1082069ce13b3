use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::LocalPostgresError;

/// Where packages put the programs of one major version when they leave them out of PATH: a
/// folder, and what stands before the version in the names of its children.
const VERSIONED_PLACES: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/usr", "pgsql-"),
];

/// The directory that holds PostgreSQL's server programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Looks in PATH, then asks `pg_config`, then looks where packages are known to put them.
    ///
    /// PATH first, so that a directory put before all others in it is the one that is taken: there need not
    /// be a `pg_config` in it, and the system's own names the system's server.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::ProgramsNotFound`] when no directory has all three programs.
    pub fn find() -> Result<Self, LocalPostgresError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let places = env::split_paths(&path).chain(pg_config_directory());
        let versioned = VERSIONED_PLACES
            .into_iter()
            .flat_map(|(parent, prefix)| versioned_directories(Path::new(parent), prefix));
        Self::first_complete(places.chain(versioned))
    }

    /// Those of one directory.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::ProgramsNotFound`] when it does not have all three programs, or is relative.
    pub fn in_directory(directory: PathBuf) -> Result<Self, LocalPostgresError> {
        Self::first_complete([directory].into_iter())
    }

    /// The directory of the programs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Creates a database cluster.
    #[must_use]
    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    /// The server.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    /// Stops the server.
    #[must_use]
    pub fn pg_ctl(&self) -> PathBuf {
        self.directory.join("pg_ctl")
    }

    fn first_complete(places: impl Iterator<Item = PathBuf>) -> Result<Self, LocalPostgresError> {
        // An empty or relative entry of PATH would mean another place after a change of directory.
        places
            .filter(|directory| directory.is_absolute())
            .map(|directory| Self { directory })
            .find(Self::is_complete)
            .map(Self::resolved)
            .ok_or(LocalPostgresError::ProgramsNotFound)
    }

    /// Where the programs really are: links to some of them do not have the others beside them.
    fn resolved(self) -> Self {
        let real = fs::canonicalize(self.postgres()).ok();
        real.as_deref()
            .and_then(Path::parent)
            .map(|directory| Self {
                directory: directory.to_owned(),
            })
            .filter(Self::is_complete)
            .unwrap_or(self)
    }

    /// All three have to be of one version, so finding them apart does not count.
    fn is_complete(&self) -> bool {
        [self.initdb(), self.postgres(), self.pg_ctl()]
            .iter()
            .all(|program| is_executable(program))
    }
}

fn is_executable(program: &Path) -> bool {
    fs::metadata(program)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn pg_config_directory() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let line = output.stdout.trim_ascii_end().to_vec();
    output
        .status
        .success()
        .then(|| PathBuf::from(OsString::from_vec(line)))
}

/// The `bin` directories below `parent`, the highest version first.
fn versioned_directories(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry
                .file_name()
                .to_str()?
                .strip_prefix(prefix)?
                .parse()
                .ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, directory)| directory)
}

#[cfg(test)]
mod tests {
    use std::{
        error::Error,
        fs::OpenOptions,
        iter,
        os::unix::fs::{OpenOptionsExt, symlink},
    };

    use super::*;

    fn install(directory: &Path, programs: &[&str]) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(directory)?;
        for program in programs {
            let path = directory.join(program);
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o755)
                .open(path)?;
        }
        Ok(())
    }

    #[test]
    fn the_highest_version_comes_first_and_other_names_do_not_count() -> Result<(), Box<dyn Error>>
    {
        let parent = tempfile::tempdir()?;
        for name in ["pgsql-9", "pgsql-18", "pgsql-17", "pgsql-latest", "18"] {
            fs::create_dir(parent.path().join(name))?;
        }
        let found: Vec<PathBuf> = versioned_directories(parent.path(), "pgsql-").collect();
        let expected = ["pgsql-18/bin", "pgsql-17/bin", "pgsql-9/bin"];
        assert_eq!(found, expected.map(|name| parent.path().join(name)));
        Ok(())
    }

    #[test]
    fn a_directory_without_all_three_programs_is_passed_over() -> Result<(), Box<dyn Error>> {
        let parent = tempfile::tempdir()?;
        let [client, server] = ["client", "server"].map(|name| parent.path().join(name));
        install(&client, &["initdb", "pg_ctl"])?;
        install(&server, &["initdb", "pg_ctl", "postgres"])?;
        let places = [
            PathBuf::new(),
            parent.path().join("none"),
            client,
            server.clone(),
        ];
        assert_eq!(
            Programs::first_complete(places.into_iter())?.directory(),
            fs::canonicalize(server)?
        );
        Ok(())
    }

    #[test]
    fn links_lead_to_the_directory_that_has_all_programs() -> Result<(), Box<dyn Error>> {
        let parent = tempfile::tempdir()?;
        let [links, server] = ["links", "server"].map(|name| parent.path().join(name));
        fs::create_dir(&links)?;
        install(&server, &["initdb", "pg_ctl", "pg_dump", "postgres"])?;
        for program in ["initdb", "pg_ctl", "postgres"] {
            symlink(server.join(program), links.join(program))?;
        }
        let found = Programs::in_directory(links)?;
        assert_eq!(found.directory(), fs::canonicalize(server)?);
        Ok(())
    }

    #[test]
    fn without_programs_one_line_says_what_to_install() {
        let message = Programs::first_complete(iter::empty()).map_err(|error| error.to_string());
        let message = message.err().unwrap_or_default();
        assert_eq!(message.lines().count(), 1);
        for advice in [
            "apt-get install postgresql",
            "dnf install",
            "brew install postgresql",
        ] {
            assert!(
                message.contains(advice),
                "{advice} is missing in: {message}"
            );
        }
    }
}
