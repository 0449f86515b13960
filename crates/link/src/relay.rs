//! The relay protocol.
