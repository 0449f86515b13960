//! What each node is told: snapshots of a tenant, and the frames that carry a
//! node from one snapshot to another.
//!
//! ```text
//! Tenant + nodes ─▶ Snapshot ──apply(changes)──▶ Snapshot        immutable, cheap to clone
//!                      │                            │
//!                      └──── Step::between ─────────┘             made once, shared by all
//!                                 │
//!                  Step::frame(node) ─▶ the same bytes for all nodes of a class
//! ```
//!
//! The crate is pure: no clock, no input or output; equal input gives equal output.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
mod change;
mod class;
mod diff;
mod eye;
mod frame;
mod log;
mod member;
mod node;
mod posture;
mod segment;
mod snapshot;
mod spelled;
mod ssh;
mod step;
mod tenant;
mod view;

pub use change::Change;
pub use frame::{Form, frame};
pub use log::Log;
pub use node::{Node, Owner, Reach};
pub use snapshot::Snapshot;
pub use step::{Step, Told};
pub use tenant::{Person, Tenant};
