//! What kind of thing a selector names, in the words of people.

use serde::{Deserialize, Serialize};

use super::{SelectorKind, autogroup::Autogroup};

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// `*`, `autogroup:danger-all`
    Everybody,
    /// A group of users, of the document or of an identity provider, or all of a domain.
    Group,
    /// The users with a role, or all of them.
    Role,
    /// A tag, or all devices with tags.
    Tag,
    /// One user.
    User,
    /// One device.
    Device,
    /// A name of `hosts`.
    Host,
    /// A name of `ipsets`.
    Set,
    /// A service.
    Service,
    /// Addresses.
    Addresses,
    /// A part of what lies behind a subnet router.
    Route,
    /// The Internet, through exit nodes.
    Internet,
    /// The own devices of the user who asks.
    OwnDevices,
}

impl Sort {
    /// The kind of thing that the selector names.
    pub fn of(kind: &SelectorKind) -> Self {
        match kind {
            SelectorKind::Any | SelectorKind::Autogroup(Autogroup::DangerAll) => Self::Everybody,
            SelectorKind::User(_) => Self::User,
            SelectorKind::Tag(_) | SelectorKind::Autogroup(Autogroup::Tagged) => Self::Tag,
            SelectorKind::UsersOf(_) | SelectorKind::Group(_) | SelectorKind::ProviderGroup(_) => {
                Self::Group
            }
            SelectorKind::Autogroup(Autogroup::Internet) => Self::Internet,
            SelectorKind::Autogroup(Autogroup::SelfDevices) => Self::OwnDevices,
            SelectorKind::Autogroup(_) => Self::Role,
            SelectorKind::Host(_) => Self::Host,
            SelectorKind::IpSet(_) => Self::Set,
            SelectorKind::Service(_) => Self::Service,
            SelectorKind::Prefix(_) | SelectorKind::Range(..) => Self::Addresses,
        }
    }
}
