mod commands;
mod demo;
mod health;
mod serve;
