//! The coordination server and relay of Warren.

pub mod act;
pub mod admin;
pub mod api;
pub mod app;
pub mod audit;
pub mod authz;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod db;
pub mod doctor;
pub mod error;
pub mod http;
pub mod lifecycle;
pub mod listeners;
pub mod login;
pub mod relay;
pub mod rng;
pub mod route;
pub mod secret;
pub mod telemetry;
pub mod tenancy;
pub mod tls;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
