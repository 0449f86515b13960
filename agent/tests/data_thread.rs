//! Two data threads with real TUNs, each in a network namespace of its own, joined by a wire.
//!
//! Needs root; without it every test is passed over with a loud line.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests state facts and may stop; one that cannot run says so"
)]

#[path = "data_thread/namespace.rs"]
mod namespace;
#[path = "data_thread/pair.rs"]
mod pair;
#[path = "data_thread/transfer.rs"]
mod transfer;

#[path = "data_thread/direct.rs"]
mod direct;
#[path = "data_thread/life.rs"]
mod life;
#[path = "data_thread/relayed.rs"]
mod relayed;
#[path = "data_thread/speed.rs"]
mod speed;
