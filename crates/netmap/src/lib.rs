//! netmap
