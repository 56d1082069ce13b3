mod installing;
mod lead_index;
mod mapping;
mod mapping_views;
mod plpgsql_check;
mod result_columns;
mod schema_sql;
mod upgrading;
