//! Why a flow is let through, or not: by which group, which rule, to which tag or
//! host, each with its place in the document.
//!
//! [`Explainer`] reads the document itself and shares no rule with
//! [`crate::Compiled`]: it is a second judge, and tests hold the two against
//! each other.

mod alike;
mod answer;
mod asked;
mod because;
mod behind;
mod cases;
mod cut;
mod flow;
mod gist;
mod judge;
mod lead;
mod names;
mod person;
pub(crate) mod ports;
mod reverse;
mod rules;
mod source;
mod spot;
mod ssh;
mod steer;
mod thought;
mod typed;

use std::net::IpAddr;

pub use crate::selector::sort::Sort;
pub use answer::{Cause, Chain, Denial, Explanation, Link, Missing, Near, Part, RuleAt, Verdict};
pub use asked::{SERVICES, read_ports};
pub use because::Because;
pub use behind::Behind;
pub use cases::{Case, Cases};
pub use flow::Flow;
pub use reverse::{Inbound, Reach, Sources};
pub use spot::{Spot, joined, written};
pub use ssh::{Bar, SignIn, SshChain, SshExplanation, SshMissing, SshNear};
pub use thought::{Lacking, Thought, second, thought};
pub use typed::{Device, Typed, Unclear};

use crate::{
    decide::End,
    directory::{Directory, NodeFacts},
    document::Document,
    selector::SelectorKind,
};

/// Explains the decisions of one document in one tenant. Building it costs as
/// much as reading every rule once; a question is answered in one pass over them.
#[derive(Debug)]
pub struct Explainer<'a> {
    document: &'a Document,
    directory: &'a Directory,
    names: names::Names<'a>,
    rules: Vec<rules::Rule<'a>>,
}

impl<'a> Explainer<'a> {
    /// Reads the document and the directory.
    pub fn new(document: &'a Document, directory: &'a Directory) -> Self {
        Self {
            document,
            directory,
            names: names::Names::new(document, directory),
            rules: rules::all(document),
        }
    }

    /// True when a selector of people or tags holds the device.
    pub(crate) fn holds_device(&self, kind: &SelectorKind, node: &NodeFacts) -> bool {
        let address = node.addresses.first().copied();
        let party = address.map(|address| self.names.party(End { node, address }));
        party.is_some_and(|party| self.names.holds_device(kind, &party))
    }
}

/// The device that takes packets to the address: the one that has it, else the
/// router with the longest route to it, else an exit node.
pub fn whose(nodes: &[NodeFacts], address: IpAddr) -> Option<End<'_>> {
    let own = || nodes.iter().find(|n| n.addresses.contains(&address));
    let router = || {
        let routes = nodes
            .iter()
            .flat_map(|n| n.routes.iter().map(move |r| (n, r)));
        let leading = routes.filter(|(_, r)| r.contains(address));
        leading.max_by_key(|(_, r)| r.bits).map(|(n, _)| n)
    };
    let exit = || nodes.iter().find(|n| n.is_exit_for(address));
    let node = own().or_else(router).or_else(exit)?;
    Some(End { node, address })
}
