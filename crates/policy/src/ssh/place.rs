//! Nodes that are alike as destinations of sign-ins.

use std::net::IpAddr;

use wire::UserId;

use super::SshLaw;
use crate::{bits::Bits, directory::NodeFacts};

/// How a node stands as a destination: nodes of equal places have the same rules
/// ([`super::SshTable::policy_for`]). It has a meaning only to the [`SshLaw`] that made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SshPlace {
    /// The rules that it is a destination of, by number.
    targets: Bits,
    /// The rules by which it may sign in to where it is.
    own: Bits,
    /// The owner, where he matters.
    user: Option<UserId>,
    /// A tagged node's addresses, where it may sign in to itself.
    itself: Vec<IpAddr>,
}

impl SshLaw {
    /// How a node stands as a destination.
    pub fn place_of(&self, node: &NodeFacts) -> SshPlace {
        let mut place = SshPlace::default();
        for (number, rule) in self.rules.iter().enumerate() {
            if rule.is_target(node) {
                place.targets.insert(number);
            }
            // A user's other devices may meet a posture that this one does not.
            let to_self = rule.to_self && node.owner().is_some() && rule.names_source(node);
            let itself =
                rule.reaches_itself(node) && (node.owner().is_some() || rule.is_source(node));
            if to_self || itself {
                place.own.insert(number);
                place.user = node.owner();
                if node.owner().is_none() {
                    place.itself.clone_from(&node.addresses);
                }
            }
        }
        place
    }
}
