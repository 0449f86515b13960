//! Typed ids.
//!
//! [`NodeId`] and [`UserId`] travel as JSON numbers in Tailscale's protocol:
//! integers up to 2^53, unique over the whole server and never reused. The
//! others are UUIDs (version 7 where the server makes them).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

integer_id!(
    /// A node (machine), server-wide, 1 to 2^53, never reused.
    NodeId
);
integer_id!(
    /// A user of a tenant as nodes see him, server-wide, 1 to 2^53, never reused.
    /// Each membership of an account in a tenant has its own.
    UserId
);
uuid_id!(
    /// A tenant.
    TenantId
);
uuid_id!(
    /// A person's account; one account may be a member of several tenants.
    AccountId
);
uuid_id!(
    /// A node's stable id, as clients show it.
    StableId
);
uuid_id!(
    /// An auth key (the record, not the secret).
    AuthKeyId
);
uuid_id!(
    /// One saved revision of a tenant's policy.
    PolicyRevisionId
);
uuid_id!(
    /// An invitation.
    InviteId
);
uuid_id!(
    /// One audit record.
    AuditId
);
