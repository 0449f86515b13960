//! The control protocol, spoken over sockets by nodes made of `link` and
//! `wire` to the real router with a real database.

mod away;
mod endpoints;
mod expiry;
mod frames;
mod handshake;
mod joining;
mod limits;
mod maps;
mod names;
mod node;
mod person;
mod postures;
mod world;

use node::Node;
use world::{KeyTerms, World};
