//! How the catalogs show that a versioned file was applied.
//!
//! A copy of the schema alone (a Supabase branch, `pg_dump --schema-only`) has everything but the rows of
//! `lead_mover.schema_files`, so what was applied to it is told from what is there.

use super::files::{LIVING, SqlFile, VERSIONED};

/// A condition for each file of [`VERSIONED`], in that order: true where it was applied.
const CONDITIONS: [&str; VERSIONED.len()] = [
    "to_regclass('lead_mover.moves') is not null",
    "to_regclass('lead_mover.batch_result') is not null",
    "to_regclass('lead_mover.finished_counts') is not null",
    "exists (select from pg_constraint where conrelid = to_regclass('lead_mover.moves') and conname = 'moves_active_ids_check')",
    "to_regclass('lead_mover.announcements') is not null",
    "to_regclass('lead_mover.openings') is not null",
];

/// Each versioned file with its condition.
fn signs() -> impl Iterator<Item = (&'static SqlFile, &'static str)> {
    VERSIONED.iter().zip(CONDITIONS)
}

/// Records what was applied, where no row says so. When it was applied is not known, and of functions not with which
/// text: they are made again.
pub(crate) fn adoption() -> String {
    let mut files: Vec<String> = signs()
        .map(|(file, condition)| format!("('{}', '{}', {condition})", file.path, file.checksum()))
        .collect();
    let functions = LIVING.iter().filter(|file| file.function().is_some());
    files.extend(functions.filter_map(|file| {
        let is_gone = is_gone(file)?;
        Some(format!("('{}', 'unknown', not {is_gone})", file.path))
    }));
    format!(
        "insert into lead_mover.schema_files (path, checksum, applied_at)
select w.path, w.checksum, '-infinity'
from (
  values
    {}
) as w (path, checksum, is_there)
where w.is_there
  and to_regclass('lead_mover.moves') is not null
  and not exists (select from lead_mover.schema_files f where f.path like 'versioned/%')
on conflict (path) do nothing;
",
        files.join(",\n    ")
    )
}

/// A condition on the catalogs: that the function, view or trigger which the file makes is not there. None where
/// it makes something else.
pub(crate) fn is_gone(file: &SqlFile) -> Option<String> {
    let found = if let Some((schema, name)) = file.function() {
        format!(
            "pg_proc p join pg_namespace n on n.oid = p.pronamespace \
             where n.nspname = '{schema}' and p.proname = '{name}'"
        )
    } else {
        let (directory, name) = file.path.split_once('/')?;
        let name = name.strip_suffix(".sql")?;
        match directory {
            "views" => format!(
                "pg_class c where c.relnamespace = 'lead_mover'::regnamespace and c.relname = '{name}'"
            ),
            "policies" => "pg_policy p where p.polname = 'seen'".to_owned(),
            "triggers" => format!("pg_trigger t where t.tgname = '{name}'"),
            _ => return None,
        }
    };
    Some(format!("not exists (select from {found})"))
}
