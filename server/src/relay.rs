//! The relay and STUN service.

pub mod admission;
pub mod map;
pub mod stun;

pub use admission::Admission;
