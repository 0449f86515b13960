//! What all nodes of a tenant share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policy::{Connection, Directory, Document, User};
use wire::{UserId, api::Role, control::UserProfile, net::Prefix, relay_map::RelayMap};

use crate::{member::plain, node::Owner};

/// Owners that are looked for one by one.
const FEW: usize = 4;

/// A tenant without its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The name for people.
    pub name: String,
    /// What its nodes' DNS names end in, without dots at the ends.
    pub dns_suffix: String,
    /// The pseudo-user that tagged nodes belong to.
    pub tagged_user: UserId,
    /// The members.
    pub people: Vec<Person>,
    /// Domains that were proven to belong to it.
    pub domains: Vec<String>,
    /// Its connections to identity providers.
    pub connections: Vec<Connection>,
    /// The policy in force.
    pub policy: Arc<Document>,
    /// The relays that nodes may use.
    pub relay_map: Arc<RelayMap>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id that nodes carry.
    pub id: UserId,
    /// The e-mail address.
    pub email: String,
    /// The name for people.
    pub display_name: String,
    /// The role.
    pub role: Role,
}

impl Tenant {
    /// What the law knows of it, given the approved subnet routes of its nodes.
    pub(crate) fn directory(&self, routes: Vec<Prefix>) -> Directory {
        let user = |p: &Person| User {
            id: p.id,
            email: p.email.clone(),
            role: p.role,
        };
        Directory {
            users: self.people.iter().map(user).collect(),
            domains: self.domains.clone(),
            connections: self.connections.clone(),
            routes,
        }
    }

    /// The members' login names, as clients are told them.
    pub(crate) fn logins(&self) -> Vec<(UserId, String)> {
        let people = self.people.iter();
        people.map(|p| (p.id, plain(&p.email, 254))).collect()
    }

    /// The user that clients are told a node belongs to.
    pub(crate) fn user_of(&self, owner: &Owner) -> UserId {
        match owner {
            Owner::User(user) => *user,
            Owner::Tags(_) => self.tagged_user,
        }
    }

    /// How clients show the owners with these ids.
    pub(crate) fn profiles(&self, ids: impl IntoIterator<Item = UserId>) -> Vec<UserProfile> {
        let ids: BTreeSet<UserId> = ids.into_iter().collect();
        if ids.len() <= FEW {
            let find = |id| self.people.iter().find(|p| p.id == id);
            return ids.into_iter().map(|id| profile(id, find(id))).collect();
        }
        let people: BTreeMap<UserId, &Person> = self.people.iter().map(|p| (p.id, p)).collect();
        let profile = |id| profile(id, people.get(&id).copied());
        ids.into_iter().map(profile).collect()
    }
}

fn profile(id: UserId, person: Option<&Person>) -> UserProfile {
    let (login_name, display_name) = match person {
        Some(p) if p.display_name.is_empty() => (plain(&p.email, 254), plain(&p.email, 254)),
        Some(p) => (plain(&p.email, 254), plain(&p.display_name, 254)),
        None => ("tagged-devices".to_owned(), "Tagged devices".to_owned()),
    };
    UserProfile {
        id,
        login_name,
        display_name,
    }
}
