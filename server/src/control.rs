//! The control protocol: what nodes speak to.
