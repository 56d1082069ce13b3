mod commands;
mod demo;
mod health;
mod isolation;
mod serve;
mod unwritable_output;
