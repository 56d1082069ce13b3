//! The installation as text, for `migrate --print`.

use super::steps::steps;

/// The whole installation as one SQL script, to deliver as a Supabase migration: the statements that [`install`] runs,
/// in one transaction. Run again, or where some or all of it was applied by whatever version, it does what is left.
///
/// [`install`]: super::install
#[must_use]
pub fn script(example_schema: bool) -> String {
    let mut parts = vec![format!(
        "-- lead-mover {}: installs or upgrades it. Where it is current already, this changes nothing.\n\nbegin;\n",
        env!("CARGO_PKG_VERSION")
    )];
    parts.extend(
        steps(example_schema)
            .into_iter()
            .map(|step| format!("-- {}\n\n{}", step.name, step.sql)),
    );
    parts.push("commit;".to_owned());
    parts.join("\n\n")
}
