//! The control protocol, spoken by a node made of `link` and `wire`.
