//! The built-in groups.

use wire::api::Role;

use crate::diagnostic::{Code, Sink, Span};

macro_rules! autogroups {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// A built-in group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Autogroup {
            $($(#[doc = $doc])* $name,)*
        }

        impl Autogroup {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Whom it holds, in one sentence.
            pub fn summary(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*).trim(),)*
                }
            }
        }
    };
}

autogroups! {
    /// Devices of users: every node without a tag.
    Member = "autogroup:member",
    /// Every node with a tag.
    Tagged = "autogroup:tagged",
    /// As a destination: the source user's own devices.
    SelfDevices = "autogroup:self",
    /// The Internet through an exit node.
    Internet = "autogroup:internet",
    /// Users of the operating system other than root (SSH).
    Nonroot = "autogroup:nonroot",
    /// Users of other tenants with whom a node is shared.
    Shared = "autogroup:shared",
    /// Every address there is.
    DangerAll = "autogroup:danger-all",
    /// The tenant's owners.
    Owner = "autogroup:owner",
    /// Owners and administrators.
    Admin = "autogroup:admin",
    /// Those who look after machines and users.
    ItAdmin = "autogroup:it-admin",
    /// Those who look after the policy.
    NetworkAdmin = "autogroup:network-admin",
    /// Those who look after bills.
    BillingAdmin = "autogroup:billing-admin",
    /// Those who may look at everything.
    Auditor = "autogroup:auditor",
}

impl Autogroup {
    /// True when users with `role` belong to it; `None` when it is no group of people.
    pub fn holds_role(self, role: Role) -> Option<bool> {
        match self {
            Self::Member => Some(true),
            Self::Owner => Some(role == Role::Owner),
            Self::Admin => Some(matches!(role, Role::Owner | Role::Admin)),
            Self::ItAdmin => Some(role == Role::ItAdmin),
            Self::NetworkAdmin => Some(role == Role::NetworkAdmin),
            Self::BillingAdmin => Some(role == Role::BillingAdmin),
            Self::Auditor => Some(role == Role::Auditor),
            Self::Tagged
            | Self::SelfDevices
            | Self::Internet
            | Self::Nonroot
            | Self::Shared
            | Self::DangerAll => None,
        }
    }

    /// True for groups of people.
    pub fn is_of_people(self) -> bool {
        self.holds_role(Role::Member).is_some()
    }
}

pub(super) fn read(text: &str, span: Span, sink: &mut Sink) -> Option<Autogroup> {
    // `autogroup:members` is the older spelling that documents still carry.
    let known = match text {
        "autogroup:members" => Some(Autogroup::Member),
        _ => Autogroup::ALL.iter().copied().find(|a| a.as_str() == text),
    };
    if known.is_none() {
        sink.error(
            Code::InvalidSelector,
            span,
            format!("there is no built-in group `{text}`"),
        )
        .did_you_mean(text, Autogroup::ALL.iter().map(|a| a.as_str()));
    }
    known
}

/// Where in a rule a selector stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Target,
}

/// Reports a group that may not stand on that side of a rule.
pub(crate) fn refuse(group: Autogroup, side: Side, span: Span, sink: &mut Sink) {
    let (message, help) = match (group, side) {
        (Autogroup::SelfDevices, Side::Source) => (
            "\"autogroup:self\" not valid on the src side of a rule".to_owned(),
            "write `autogroup:member` as the source",
        ),
        (Autogroup::Internet, Side::Source) => (
            "autogroup:internet can only be used in ACL destinations".to_owned(),
            "to let packets in from any address, write `autogroup:danger-all`",
        ),
        (Autogroup::DangerAll, Side::Target) => (
            "cannot use autogroup:danger-all as a dst".to_owned(),
            "write `*`, or `autogroup:internet` for exit nodes",
        ),
        (Autogroup::Nonroot, _) => (
            format!("`{}` cannot stand in a rule", group.as_str()),
            "it is for the `users` of `ssh` rules",
        ),
        (_, Side::Source) => (
            format!("`{}` cannot be a source", group.as_str()),
            "it stands for what is reached",
        ),
        (_, Side::Target) => (
            format!("`{}` cannot be a destination", group.as_str()),
            "it stands for those who ask, as a source",
        ),
    };
    sink.error(Code::InvalidSelector, span, message).help(help);
}
