//! The whole product under test: real programs in network namespaces behind real NATs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test programs speak to the person who runs them"
)]

pub mod agent;
pub mod api;
pub mod bench;
pub mod capture;
pub mod compose;
pub mod console;
pub mod demo;
pub mod eventually;
pub mod lab;
pub mod process;
pub mod program;
pub mod relay;
pub mod runner;
pub mod stack;
pub mod tailscale;
pub mod traffic;
