mod all_or_nothing;
mod installing;
mod lead_index;
mod mapping;
mod mapping_views;
mod plpgsql_check;
mod schema_sql;
mod upgrading;
