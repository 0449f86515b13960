//! The line: two parties and one byte stream, without sockets or clocks.
//!
//! [`noise`] is the handshake and the encrypted records of the control
//! connection (ts2021); [`relay`] is the relay protocol (DERP): frames, the
//! client's session, the server's greeting and its switchboard.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::unreachable
)]

pub mod noise;
pub mod relay;
