//! What may happen to a tenant.

use std::sync::Arc;

use policy::Document;
use wire::{NodeId, relay_map::RelayMap};

use crate::{
    node::{Node, Reach},
    tenant::Person,
};

/// A change of a tenant. Closed: whoever adds one says here and in
/// [`crate::Snapshot::apply`] what it touches.
#[derive(Debug, Clone)]
pub enum Change {
    /// A node joined, or who it is has changed. Touches its class's viewers.
    Node(Box<Node>),
    /// A node is gone.
    NodeRemoved(NodeId),
    /// What a node reports has changed; unknown nodes are passed over.
    Reach(NodeId, Box<Reach>),
    /// Another policy. Judges every node anew.
    Policy(Arc<Document>),
    /// Other members. Judges every node anew.
    People(Vec<Person>),
    /// Another name of the tenant.
    Name(String),
    /// Other relays.
    RelayMap(Arc<RelayMap>),
}
