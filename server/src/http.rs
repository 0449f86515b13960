//! The HTTP service: console, API, control and relay behind one accept loop.

pub mod problem;
pub mod request_id;
