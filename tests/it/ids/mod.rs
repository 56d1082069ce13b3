//! Ids of runs, funnels and columns of any type, and CRMs without funnels.

mod commands;
mod copies;
mod crms;
mod messages;
mod plans;
mod recipes;
mod regranting;
mod remapping;
mod types;
mod unwritable;
