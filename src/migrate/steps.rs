//! The installation, as a list of statements that can be run on any state of a database: by `migrate` one after the
//! other in a transaction, and by whatever runs the script that `migrate --print` prints.

use super::INSTALL_LOCK;
use super::pgmq::{pgmq, queue};
use crate::schema::{
    self, BOOTSTRAP, EXAMPLE_SCHEMA, IDS, INDEXES, KEYS, LIVING, MAPPING, MAPPING_CHECKS,
    NEEDED_RIGHTS, RIGHTS, SESSION, SqlFile, TABLE_RIGHTS, TRIGGERS, VERSIONED,
};

/// The tag of the dollar quotes around the text of a file.
const TAG: &str = "$file$";

/// Statements that are applied together.
pub(super) struct Step {
    /// The path of a file below `migrations/`, or what the statements are.
    pub(super) name: &'static str,
    pub(super) sql: String,
}

/// The step that stops at a database that another version has changed; the message of its error says all.
pub(super) const OTHER_VERSIONS: &str = "versions";

/// The last step, of which `migrate` says what it did.
pub(super) const MESSAGES: &str = "messages of active moves";

/// All of them, in their order. The queue comes late, so that a mapping which is missing is noticed first.
pub(super) fn steps(example_schema: bool) -> Vec<Step> {
    let mut steps = vec![
        each_time(&SESSION),
        Step {
            name: "lock",
            sql: format!("do $$ begin perform pg_advisory_xact_lock({INSTALL_LOCK}); end $$;\n"),
        },
        each_time(&NEEDED_RIGHTS),
        each_time(&BOOTSTRAP),
        Step {
            name: "files that were applied to a copy",
            sql: schema::adoption(),
        },
        other_versions(),
    ];
    steps.extend(example_schema.then(|| each_time(&EXAMPLE_SCHEMA)));
    steps.extend([&MAPPING, &MAPPING_CHECKS, &TABLE_RIGHTS].map(each_time));
    steps.extend(VERSIONED.iter().map(where_it_differs));
    steps.extend([&INDEXES, &KEYS, &IDS].map(each_time));
    steps.extend(LIVING.iter().map(where_it_differs));
    steps.extend([pgmq(), queue(), each_time(&SESSION)]);
    steps.extend(TRIGGERS.iter().map(where_it_differs));
    steps.extend([
        each_time(&RIGHTS),
        Step {
            name: MESSAGES,
            sql: REPAIR.to_owned(),
        },
    ]);
    steps
}

fn each_time(file: &SqlFile) -> Step {
    Step {
        name: file.path,
        sql: file.text.to_owned(),
    }
}

/// The file where the database does not remember it with this text, or what it makes is not there. Nothing here needs
/// quoting: a path of ours, and hexadecimal digits.
fn where_it_differs(file: &'static SqlFile) -> Step {
    let (path, checksum, text) = (file.path, file.checksum(), file.text);
    let is_gone =
        schema::is_gone(file).map_or_else(String::new, |condition| format!("\n  or {condition}"));
    Step {
        name: path,
        sql: format!(
            "do $guard$
begin
  if not exists (
    select
    from lead_mover.schema_files f
    where f.path = '{path}'
      and f.checksum = '{checksum}'
  ){is_gone}
  then
    execute {TAG}
{text}{TAG};

    insert into lead_mover.schema_files (path, checksum)
    values ('{path}', '{checksum}')
    on conflict (path) do update
    set
      checksum = excluded.checksum,
      applied_at = excluded.applied_at;
  end if;
end
$guard$;
"
        ),
    }
}

fn other_versions() -> Step {
    let versioned: Vec<String> = VERSIONED
        .iter()
        .map(|file| format!("('{}', '{}')", file.path, file.checksum()))
        .collect();
    let known: Vec<String> = schema::recorded()
        .map(|file| file.path)
        .chain(schema::REMOVED.iter().copied())
        .map(|path| format!("'{path}'"))
        .collect();
    Step {
        name: OTHER_VERSIONS,
        sql: format!(
            "do $guard$
declare
  v_path text;
begin
  select f.path
  into v_path
  from lead_mover.schema_files f
  where f.path not in (
    {}
  )
  order by f.path
  limit 1;

  if found then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = format('the database was installed by a newer lead-mover (it has %s); use that version', v_path);
  end if;

  select f.path
  into v_path
  from lead_mover.schema_files f
  join (
    values
      {}
  ) as w (path, checksum) on w.path = f.path
  where f.checksum <> w.checksum
  order by f.path
  limit 1;

  if found then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = format(
        '%s was changed after it had been applied to this database; versioned files are never edited, add a new one', v_path
      );
  end if;
end
$guard$;
",
            known.join(",\n    "),
            versioned.join(",\n      ")
        ),
    }
}

/// Makes the queue's trigger and the messages of active moves again, where others have removed them.
const REPAIR: &str = "do $$
declare
  v_messages constant integer := lead_mover.repair();
begin
  if v_messages > 0 then
    raise warning '% messages of active moves were gone from the queue, or due too late; they are due now', v_messages;
  end if;
end
$$;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_the_quotes_that_it_stands_between() {
        for file in schema::recorded() {
            for tag in [TAG, "$guard$"] {
                assert!(!file.text.contains(tag), "{}", file.path);
            }
        }
    }
}
