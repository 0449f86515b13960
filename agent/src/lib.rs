//! The agent of Warren: daemon and command line.

pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod daemon;
pub mod data;
pub mod dial;
pub mod io;
pub mod local_api;
pub mod nudge;
pub mod relay;
pub mod state;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod tls;
