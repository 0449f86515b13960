//! What an impact says.

use serde::Serialize;
use wire::net::PortRange;

use super::{NodeId, UserId};
use crate::explain::RuleAt;

/// The difference between two states.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Impact {
    /// Flows that only the state after lets through, by its rules.
    pub gained: Vec<Change>,
    /// Flows that only the state before lets through, by its rules.
    pub lost: Vec<Change>,
    /// Who could reach something before and can reach nothing after.
    pub cut_off: Losers,
}

/// Who loses everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Losers {
    /// Users, of whose devices none reaches anything.
    pub people: Vec<UserId>,
    /// Devices that are nobody's own.
    pub devices: Vec<NodeId>,
}

/// Flows that one rule lets through to one destination, on the state where it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The first rule that lets them through.
    pub rule: RuleAt,
    /// The rule's sources, as written.
    pub who: Vec<String>,
    /// The rule's destination, as written.
    pub to: String,
    /// By protocol, the ports that change.
    pub traffic: Vec<Opening>,
    /// Users whose own devices are sources, sorted.
    pub people: Vec<UserId>,
    /// Devices that are sources, sorted.
    pub from_devices: Vec<NodeId>,
    /// Devices that are destinations or routers to them, sorted.
    pub to_devices: Vec<NodeId>,
    /// Pairs of a source address and a destination: an address, or a part of a
    /// route that no rule divides.
    pub flows: u64,
}

/// Ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Opening {
    /// The protocol's number.
    pub proto: u8,
    /// The ports; all of them for protocols without ports.
    pub ports: Vec<PortRange>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rule, who, to, .. } = self;
        write!(f, "{rule}: {} → {to}", who.join(", "))?;
        let (people, devices) = (self.people.len(), self.from_devices.len());
        write!(
            f,
            " ({people} people, {devices} devices, {} flows)",
            self.flows
        )
    }
}
