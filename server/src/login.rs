//! Signing in: one-time links, and the sessions that they open.
//!
//! There are no passwords. A link holds 256 random bits in its fragment, works
//! once, and ends by itself; the database holds its keyed hash. What a link
//! opens is a session of a person: of all his tenants when the server's
//! operator made the link, else of the tenant whose administrators did.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use wire::{
    TenantId,
    api::{
        me::{Me, Membership},
        user::OneTimeLink,
    },
    id::AccountId,
    paths,
};

use crate::{
    app::App,
    db::Reason,
    error::{Error, Result},
    secret::token::{self, Kind},
};

mod link;
pub mod session;
pub mod upkeep;

pub use link::{inspect, login_link, redeem, setup_link, sign_out};

/// How long a set-up link works.
pub const SETUP_LINK_LIFE: Duration = Duration::from_mins(15);
/// How long a sign-in link works.
pub const LOGIN_LINK_LIFE: Duration = Duration::from_hours(1);

/// Who is signed in, and where that reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub account: AccountId,
    /// Which of his tenants.
    pub reach: Reach,
}

/// The tenants that a session reaches, of those the person is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All of them.
    All,
    /// These.
    Only(BTreeSet<TenantId>),
}

impl Reach {
    /// One tenant.
    pub fn one(tenant: TenantId) -> Self {
        Self::Only(BTreeSet::from([tenant]))
    }

    /// Whether the tenant is reached.
    pub fn covers(&self, tenant: TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Only(tenants) => tenants.contains(&tenant),
        }
    }

    fn joined(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a.union(b).copied().collect()),
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }
}

/// Who is signed in, for the console.
pub async fn me(app: &App, who: &SignedIn) -> Result<Me> {
    let system = app.db.system(Reason::SignIn).await?;
    let account = system.find_account(who.account).await?;
    let account = account.ok_or(Error::Unauthenticated)?;
    let mut memberships = Vec::new();
    for (tenant, user) in system.memberships(account.id).await? {
        if !who.reach.covers(tenant) {
            continue;
        }
        let rows = system.enter(tenant).await?;
        let (tenant, user) = (rows.tenant().await?, rows.user(user).await?);
        memberships.push(Membership {
            tenant: tenant.id,
            slug: tenant.slug.to_string(),
            name: tenant.name,
            user: user.id,
            role: user.role,
        });
    }
    memberships.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(Me {
        account: account.id,
        email: account.email.to_string(),
        display_name: account.display_name,
        memberships,
    })
}

/// A new link: what is shown once, and what is stored.
pub(crate) struct Minted {
    pub(crate) link: OneTimeLink,
    pub(crate) hash: String,
}

pub(crate) fn mint(app: &App, kind: Kind, life: Duration) -> Minted {
    let secret = token::generate(kind, app.rng);
    Minted {
        hash: app.vault.hash(&secret),
        link: OneTimeLink {
            url: paths::one_time_link(&app.config.public_url(), &secret),
            expires: app.clock.now().plus(life),
        },
    }
}
