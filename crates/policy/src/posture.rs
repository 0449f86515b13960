//! Device postures: conditions on what is known of a device.
//!
//! A posture holds for a device when all its conditions do; a rule that asks for
//! postures takes a device when one of them holds. An attribute that a device
//! does not have meets no condition but `NOT SET`, and an attribute that this
//! server learns of no device meets none at all. Hosts behind subnet routers and
//! other addresses outside the mesh have no attributes and are not asked
//! (<https://tailscale.com/docs/features/device-posture>).

pub mod attribute;
mod check;
pub mod condition;
mod read;
mod requirement;
mod value;
mod version;

pub use attribute::{Attributes, Known};
pub(crate) use check::{check, check_given};
pub use condition::{Condition, Order, Test};
pub(crate) use read::read;
pub use requirement::Unmet;
pub(crate) use requirement::{Requirement, asks};
pub use value::{Number, Value};

#[cfg(test)]
mod tests;
