mod commands;
mod demo;
mod health;
mod serve;
mod unwritable_output;
