//! What an impact says.

use serde::{Deserialize, Serialize};
use wire::{NodeId, UserId, net::PortRange};

use crate::{explain::RuleAt, selector::sort::Sort};

/// The difference between two states. A flow is a pair of a source address and
/// a destination: an address, or a part of a route that no rule divides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Impact {
    /// What only the state after lets through.
    pub gained: Difference,
    /// What only the state before lets through.
    pub lost: Difference,
    /// Who could reach something before and can reach nothing after.
    pub cut_off: CutOff,
    /// Users without a device who would reach something else if they had one: login names, in
    /// alphabetical order, cut to a bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// How many of them are not shown.
    #[serde(default)]
    pub more_absent: u64,
}

/// What one state has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Traffic.
    pub traffic: Changes<Vec<Opening>>,
    /// Capabilities of applications.
    pub capabilities: Changes<Vec<Capability>>,
    /// Sign-ins by SSH.
    pub sign_ins: Changes<SignIns>,
}

/// Changes of one kind, those of most flows first, cut to a bound. The totals
/// are of all of them, and count each flow and each device once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes<W> {
    /// The first of them.
    pub shown: Vec<Change<W>>,
    /// How many are not shown.
    pub more: u64,
    /// Flows of which something changes.
    pub flows: u64,
    /// Users whose own devices such flows come from.
    pub people: u64,
    /// Devices that such flows come from.
    pub from_devices: u64,
    /// Devices that such flows go to, or routers to where they go.
    pub to_devices: u64,
}

impl<W> Default for Changes<W> {
    fn default() -> Self {
        Self {
            shown: Vec::new(),
            more: 0,
            flows: 0,
            people: 0,
            from_devices: 0,
            to_devices: 0,
        }
    }
}

/// What one rule opens to one place, in the state where it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<W> {
    /// From whom.
    pub who: Parties,
    /// To where.
    pub to: Parties,
    /// What: each of it changes for one of the flows at least.
    pub what: W,
    /// True when for some of the flows only a part of it changes: another rule
    /// has the rest.
    pub is_partial: bool,
    /// The first rule that lets it through; its span is in the document of that state.
    pub rule: RuleAt,
    /// How many flows change: those of which the rule is the first to let something through.
    pub flows: u64,
}

/// Those that a change is about, cut to a bound. The counts are of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parties {
    /// The first of them, the largest first.
    pub shown: Vec<Party>,
    /// How many are not shown.
    pub more: u64,
    /// Users, by their own devices.
    pub people: u64,
    /// Devices, the users' too; routers count for what is behind them.
    pub devices: u64,
    /// The users, and the devices that are nobody's own, one by one where `shown` names some of
    /// them together: the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Party>,
    /// How many of these are not named.
    #[serde(default)]
    pub more_members: u64,
}

/// One of those that a change is about: as people name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What it is.
    pub sort: Sort,
    /// A selector as the document writes it, a login name, a device's name, a prefix.
    pub text: String,
    /// The user, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The device, if it is one, or the router to the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Its devices that the change is about.
    pub devices: u64,
    /// Its devices of which nothing changes.
    pub unchanged: u64,
}

/// Protocols and their ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opening {
    /// The protocols' numbers; in JSON their names.
    #[serde(with = "crate::protocol::names")]
    pub protocols: Vec<u8>,
    /// The ports, all of them for protocols without ports; in JSON as documents write them.
    #[serde(with = "crate::explain::ports::text")]
    pub ports: Vec<PortRange>,
}

/// A capability, or one of its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Capability {
    /// Its name.
    pub name: String,
    /// The values that change, as JSON; none when the name alone does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Sign-ins by SSH.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignIns {
    /// The login names: as the document writes them (`autogroup:nonroot` and
    /// `localpart:*@DOMAIN` too).
    pub logins: Vec<String>,
    /// How they are let in where they are.
    pub mode: Mode,
    /// How they are let in, in the other state; `None`: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Mode>,
}

/// How a sign-in is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// When the person signed in lately.
    Check,
    /// At once.
    Accept,
}

/// Who loses everything, cut to a bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CutOff {
    /// Users, of whose devices none reaches anything.
    pub people: Vec<Party>,
    /// How many users are not shown.
    pub more_people: u64,
    /// Devices that are nobody's own.
    pub devices: Vec<Party>,
    /// How many devices are not shown.
    pub more_devices: u64,
}
