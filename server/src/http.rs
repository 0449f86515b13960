//! The HTTP service: console, API, control and relay behind one accept loop.

pub mod accept;
pub mod activity;
pub mod assets;
pub mod csrf;
pub mod extract;
pub mod gate;
pub mod guard;
pub mod headers;
pub mod install;
pub mod layers;
pub mod peer;
pub mod problem;
pub mod rate;
pub mod router;
pub mod scope;
