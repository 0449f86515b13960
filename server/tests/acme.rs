//! A server that is told of nothing but a name and an ACME directory gets its
//! certificate there and serves everything under it.

#![cfg(test)]

use server::tls;

#[path = "../src/testing/pebble.rs"]
mod pebble;
#[path = "acme/served.rs"]
mod served;
