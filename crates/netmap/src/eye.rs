//! Whose eyes look: what decides what a node is told of others.

use policy::SshPlace;
use wire::net::Prefix;

use crate::class::ClassId;

/// What decides what a node is told of others: nodes with equal eyes are told the
/// same. Its parts mean something only beside the law of the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Eye {
    /// The class; `None` when it takes no part.
    pub(crate) class: Option<ClassId>,
    /// The subnet routes that it serves: a router knows who else serves them.
    pub(crate) routes: Vec<Prefix>,
    /// How it stands as a destination of sign-ins.
    pub(crate) ssh: SshPlace,
}

/// How a peer looks to somebody, beside what is the same for all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Face {
    /// Without IPv4 addresses.
    pub(crate) v6_only: bool,
    /// The subnet and exit routes that he sends packets into, sorted.
    pub(crate) routes: Vec<Prefix>,
}
