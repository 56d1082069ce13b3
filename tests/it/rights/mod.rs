pub(crate) mod documented_roles;
mod hostile_names;
mod hostile_operators;
mod privileges;
mod row_security;
mod shadowing_objects;
mod tenants;
mod worker_role;
