//! Acts of people: each checks, writes rows and audit in one transaction, then
//! tells the live tenant.
//!
//! The console's API and the server's own shell call the same acts. Who acts is
//! an argument; what he may is asked inside the transaction
//! ([`crate::authz::permit`]). Functions that only read take what may be seen.

pub mod audit;
pub mod auth_key;
pub mod field;
pub mod node;
pub mod policy;
pub mod registration;
pub mod server;
pub mod tenant;
pub mod user;
