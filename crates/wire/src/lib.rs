//! The words of Warren: every type that crosses a boundary.
//!
//! Agents, the server, the console and the tests speak through this crate. It
//! holds no rules and no input or output: ids, keys, names, the control
//! protocol's messages, the disco envelope, the console's API and its URLs.
//! What is added here stays readable for older readers: fields are added,
//! never changed or renumbered; unknown fields are ignored.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::unreachable
)]

pub mod api;
pub mod control;
pub mod disco;
pub mod filter;
pub mod id;
pub mod key;
pub mod name;
pub mod net;
pub mod paths;
pub mod relay_map;
pub mod timestamp;
pub mod version;

pub use id::{AuthKeyId, NodeId, StableId, TenantId, UserId};
pub use key::{DiscoKey, DiscoSecret, MachineKey, MachineSecret, NodeKey, NodeSecret};
pub use timestamp::Timestamp;
pub use version::CapabilityVersion;
