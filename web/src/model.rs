//! What pages decide, as plain Rust: no signal, no document, no clock.

pub(crate) mod audit;
pub(crate) mod command;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod form;
pub(crate) mod link;
pub(crate) mod node_filter;
pub(crate) mod node_routes;
pub(crate) mod node_status;
pub(crate) mod policy_editor;
pub(crate) mod query_string;
pub(crate) mod role;
pub(crate) mod since;
pub(crate) mod tags;
