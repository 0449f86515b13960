//! Errors without transport.
