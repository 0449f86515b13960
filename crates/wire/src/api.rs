//! The console's API: what requests and answers hold.
//!
//! One resource, one file. Requests refuse unknown fields, so that a typo or a
//! field the caller may not set is an error and not silence.

use serde::{Deserialize, Serialize};

pub mod audit;
pub mod auth_key;
pub mod event;
pub mod me;
pub mod node;
pub mod policy;
pub mod problem;
pub mod registration;
pub mod server;
pub mod session;
pub mod tenant;
pub mod user;

/// One page of a long list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// `?cursor=` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A member's role in a tenant, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything, also hand the tenant on.
    Owner,
    /// May do everything but touch owners.
    Admin,
    /// Policy, routes, keys and machines.
    NetworkAdmin,
    /// Users, keys and machines.
    ItAdmin,
    /// Sees users and usage.
    BillingAdmin,
    /// Sees everything, changes nothing.
    Auditor,
    /// His own machines.
    Member,
}

impl Role {
    /// All of them, the strongest first.
    pub const ALL: [Self; 7] = [
        Self::Owner,
        Self::Admin,
        Self::NetworkAdmin,
        Self::ItAdmin,
        Self::BillingAdmin,
        Self::Auditor,
        Self::Member,
    ];

    /// The word on the wire and in the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::NetworkAdmin => "network_admin",
            Self::ItAdmin => "it_admin",
            Self::BillingAdmin => "billing_admin",
            Self::Auditor => "auditor",
            Self::Member => "member",
        }
    }

    /// The role's name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::NetworkAdmin => "Network admin",
            Self::ItAdmin => "IT admin",
            Self::BillingAdmin => "Billing admin",
            Self::Auditor => "Auditor",
            Self::Member => "Member",
        }
    }

    /// Whether this role may do `action`: the one table that server and console share.
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::ViewNodes => !matches!(self, Self::BillingAdmin),
            Action::ViewUsers => !matches!(self, Self::Member),
            Action::ViewPolicy | Action::ViewAuditLog | Action::ViewAuthKeys => {
                !matches!(self, Self::Member | Self::BillingAdmin)
            }
            Action::ManageNodes | Action::ManageAuthKeys => {
                matches!(
                    self,
                    Self::Owner | Self::Admin | Self::NetworkAdmin | Self::ItAdmin
                )
            }
            Action::ManagePolicy | Action::ManageRoutes => {
                matches!(self, Self::Owner | Self::Admin | Self::NetworkAdmin)
            }
            Action::ManageUsers => matches!(self, Self::Owner | Self::Admin | Self::ItAdmin),
            Action::ManageTenant => matches!(self, Self::Owner | Self::Admin),
            Action::ManageOwners => matches!(self, Self::Owner),
        }
    }

    /// Whether this role may do all that `other` may: nobody gives, takes or acts
    /// upon a role whose rights he does not have himself.
    pub fn covers(self, other: Self) -> bool {
        let mut actions = Action::ALL.into_iter();
        actions.all(|action| !other.may(action) || self.may(action))
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == s)
            .ok_or_else(|| {
                let all: Vec<_> = Self::ALL.iter().map(|r| r.as_str()).collect();
                format!("`{s}` is not a role; the roles are {}", all.join(", "))
            })
    }
}

/// What a member may be allowed to do in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See machines; a plain member sees his own.
    ViewNodes,
    /// Approve, rename, tag, expire and remove machines.
    ManageNodes,
    /// Approve and withdraw the routes of machines.
    ManageRoutes,
    /// See auth keys.
    ViewAuthKeys,
    /// Make and revoke auth keys.
    ManageAuthKeys,
    /// Read the access policy.
    ViewPolicy,
    /// Change the access policy.
    ManagePolicy,
    /// See members and invitations.
    ViewUsers,
    /// Invite, change roles, remove, make sign-in links.
    ManageUsers,
    /// Read the audit log.
    ViewAuditLog,
    /// Change the tenant's settings.
    ManageTenant,
    /// Make and unmake owners.
    ManageOwners,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ViewNodes,
        Self::ManageNodes,
        Self::ManageRoutes,
        Self::ViewAuthKeys,
        Self::ManageAuthKeys,
        Self::ViewPolicy,
        Self::ManagePolicy,
        Self::ViewUsers,
        Self::ManageUsers,
        Self::ViewAuditLog,
        Self::ManageTenant,
        Self::ManageOwners,
    ];
}
