mod hostile_names;
mod hostile_operators;
mod privileges;
pub(crate) mod rights_matrix;
mod row_security;
mod shadowing_objects;
mod worker_role;
