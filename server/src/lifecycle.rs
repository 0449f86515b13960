//! Start, readiness and shutdown.
