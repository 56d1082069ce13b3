//! Tests of what a server may lack. They fail there, until a variable of the environment leaves them out: none
//! passes without having run unless that was asked for.

/// Leaves out the tests that need a module of PostgreSQL's contrib: `auto_explain`, `citext`.
pub(crate) const WITHOUT_CONTRIB: &str = "TEST_WITHOUT_CONTRIB";

/// Whether the variable is set and not empty; says that the test is left out.
pub(crate) fn is_left_out(variable: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let is_set = std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    if is_set {
        println!("left out: {variable} is set");
    }
    is_set
}
