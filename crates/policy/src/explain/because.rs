//! Why a selector holds somebody or something.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use wire::{api::Role, net::Prefix};

use crate::diagnostic::Span;

/// The reason that a selector of a rule holds one end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Because {
    /// `*`: a machine of the mesh.
    Everything,
    /// `*`: what lies behind subnet routers.
    BehindRouter,
    /// `*`: what exit nodes lead to.
    BehindExit,
    /// `autogroup:danger-all`: every address there is.
    EveryAddress,
    /// The rule names the user.
    Named {
        /// His login name.
        email: String,
    },
    /// A group of the document lists the user.
    Listed {
        /// The group.
        group: String,
        /// His login name.
        email: String,
        /// Where the group lists him.
        span: Span,
    },
    /// An identity provider counts the user among a group.
    Provided {
        /// The group, as the document names it.
        group: String,
        /// His login name.
        email: String,
    },
    /// The user's login name is of the domain.
    OfDomain {
        /// The domain.
        domain: String,
        /// His login name.
        email: String,
    },
    /// The user has a role that the built-in group holds.
    InRole {
        /// The role.
        role: Role,
        /// His login name.
        email: String,
    },
    /// `autogroup:member`: a device of a user.
    OwnedDevice,
    /// `autogroup:tagged`: a device with tags.
    TaggedDevice,
    /// The device carries the tag.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// A name of `hosts` stands for the address.
    Host {
        /// The name.
        name: String,
        /// What it stands for.
        prefix: Prefix,
        /// Where `hosts` says so.
        span: Span,
    },
    /// A set of `ipsets` has the address.
    InSet {
        /// The set.
        name: String,
        /// Where `ipsets` names it.
        span: Span,
    },
    /// The address is in the prefix.
    InPrefix {
        /// The prefix.
        prefix: Prefix,
    },
    /// The address is in the range.
    InRange {
        /// Its first address.
        first: IpAddr,
        /// Its last address.
        last: IpAddr,
    },
    /// `autogroup:internet`: an exit node takes it to the Internet.
    ThroughExit,
    /// `autogroup:self`: both devices are this user's.
    SameUser {
        /// His login name; `None` when the directory does not have him.
        email: Option<String>,
    },
}

impl std::fmt::Display for Because {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("`*` holds every machine of the mesh"),
            Self::BehindRouter => f.write_str("`*` also holds what lies behind subnet routers"),
            Self::BehindExit => f.write_str("`*` also holds what exit nodes lead to"),
            Self::EveryAddress => f.write_str("`autogroup:danger-all` holds every address"),
            Self::Named { email } => write!(f, "the rule names {email}"),
            Self::Listed { group, email, .. } => write!(f, "`{group}` lists {email}"),
            Self::Provided { group, email } => {
                write!(f, "the identity provider counts {email} among `{group}`")
            }
            Self::OfDomain { domain, email } => write!(f, "{email} is a user of {domain}"),
            Self::InRole { role, email } => write!(f, "{email} has the role {role:?}"),
            Self::OwnedDevice => f.write_str("the device is a user's and has no tags"),
            Self::TaggedDevice => f.write_str("the device has tags"),
            Self::Tagged { tag } => write!(f, "the device has `{tag}`"),
            Self::Host { name, prefix, .. } => write!(f, "`{name}` stands for {prefix}"),
            Self::InSet { name, .. } => write!(f, "`{name}` has the address"),
            Self::InPrefix { prefix } => write!(f, "the address is in {prefix}"),
            Self::InRange { first, last } => write!(f, "the address is in {first}-{last}"),
            Self::ThroughExit => f.write_str("the device is an exit node to the Internet"),
            Self::SameUser { email: Some(email) } => write!(f, "both devices are {email}'s"),
            Self::SameUser { email: None } => f.write_str("both devices are the same user's"),
        }
    }
}
