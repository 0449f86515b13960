//! What a change of the policy, the directory or the devices opens and shuts.
//!
//! Addresses that both policies treat alike are one group, and groups are
//! compared, not devices: the work grows with what the rules tell apart.

mod change;
mod compare;
mod line;
mod spot;

use wire::{NodeId, UserId};

pub use change::{Change, Impact, Losers, Opening};

use crate::{
    compile::Compiled,
    directory::{Directory, NodeFacts},
    document::Document,
};

/// One of the two states that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The document.
    pub document: &'a Document,
    /// The people.
    pub directory: &'a Directory,
    /// The devices.
    pub nodes: &'a [(NodeId, NodeFacts)],
}

/// The flows that are gained and lost between the two.
pub fn impact(before: &Side<'_>, after: &Side<'_>) -> Impact {
    let laws = [before, after].map(|side| Compiled::new(side.document, side.directory));
    compare::compare([before, after], [&laws[0], &laws[1]])
}
