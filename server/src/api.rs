//! The console's API.
