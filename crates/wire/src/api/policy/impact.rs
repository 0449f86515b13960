//! What a change would open and shut.

use serde::{Deserialize, Serialize};

use super::explain::Rule;
use crate::api::Role;
use crate::id::{NodeId, UserId};

/// Asks what a change would do. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewImpact {
    /// Another document; without it the policy in force stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Machines that get other tags: [`MAX_RETAGS`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retags: Vec<Retag>,
    /// Members who get another role: [`MAX_RETAGS`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<NewRole>,
}

/// The most machines, and the most members, of one preview.
pub const MAX_RETAGS: usize = 1_000;

/// All tags that a machine would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retag {
    /// The machine.
    pub node: NodeId,
    /// Its tags, with their prefix; none: it belongs to the person who asks.
    pub tags: Vec<String>,
}

/// The role that a member would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// The member.
    pub user: UserId,
    /// The role.
    pub role: Role,
}

/// What is gained and lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Impact {
    /// What would be let through and is not now.
    pub gained: Difference,
    /// What is let through and would not be.
    pub lost: Difference,
    /// Who reaches something now and would reach nothing.
    pub cut_off: CutOff,
    /// People without a machine who would reach something else if they had one: the first of
    /// them. Nothing changes for them before they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// How many of these are not named.
    #[serde(default)]
    pub more_absent: u64,
    /// The machines that were looked at: those that are approved. Without one nothing changes
    /// for anybody yet.
    pub machines: u64,
}

/// What one state has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Traffic.
    pub traffic: Changes,
    /// Sign-ins by SSH.
    pub sign_ins: Changes,
    /// Capabilities of applications.
    pub capabilities: Changes,
}

/// Changes of one kind, the widest first, cut to a bound. The totals are of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// The first of them.
    pub shown: Vec<Change>,
    /// How many are not shown.
    pub more: u64,
    /// Pairs of a source and a destination of which something changes.
    pub flows: u64,
    /// People whose machines they come from.
    pub people: u64,
    /// Machines that they come from.
    pub from_machines: u64,
    /// Machines that they go to.
    pub to_machines: u64,
}

/// What one rule opens to one place, in the state where it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// From whom.
    pub who: Ends,
    /// To where.
    pub to: Ends,
    /// What.
    pub what: String,
    /// True when other rules have a part of it.
    pub is_partial: bool,
    /// The rule; its place is in the document of that state.
    pub rule: Rule,
    /// How many pairs of a source and a destination.
    pub flows: u64,
}

/// Those that a change is about, cut to a bound. The counts are of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ends {
    /// The first of them, as people name them.
    pub shown: Vec<String>,
    /// How many are not shown.
    pub more: u64,
    /// People, by their own machines.
    pub people: u64,
    /// Machines.
    pub machines: u64,
    /// The people and the machines that are nobody's own, one by one where `shown` names some of
    /// them together (a group, a tag): the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// How many of these are not named.
    #[serde(default)]
    pub more_members: u64,
}

/// Who loses everything, cut to a bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CutOff {
    /// People, of whose machines none would reach anything.
    pub people: Vec<String>,
    /// How many people are not shown.
    pub more_people: u64,
    /// Machines that are nobody's own.
    pub machines: Vec<String>,
    /// How many machines are not shown.
    pub more_machines: u64,
}

impl Changes {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.more == 0
    }
}

impl Difference {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.traffic.is_empty() && self.sign_ins.is_empty() && self.capabilities.is_empty()
    }
}

impl CutOff {
    /// True when nobody loses everything.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.machines.is_empty()
    }
}

impl Impact {
    /// True when nothing changes for anybody.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.cut_off.is_empty()
    }
}
