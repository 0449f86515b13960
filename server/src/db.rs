//! The only door to rows.
