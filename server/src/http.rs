//! The HTTP service of the console.
