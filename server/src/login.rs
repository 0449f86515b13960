//! One-time links and console sessions.
