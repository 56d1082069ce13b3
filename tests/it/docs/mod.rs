pub(crate) mod documentation;
mod languages;
mod settings;
mod sql;
