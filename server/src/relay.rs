//! The relay and STUN service.
