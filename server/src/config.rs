//! The configuration: file, environment, checks.
