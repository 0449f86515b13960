//! A machine joins by an auth key. The look-ups, the use of the key, the node
//! and its audit record are one transaction: of many machines that bring a
//! one-off key at once, one joins.

use wire::{
    NodeKey, TenantId, Timestamp,
    api::me::Actor,
    control::{Login, RegisterResponse},
    name::Tag,
};

use super::{
    super::{
        Control,
        admit::{Terms, admit, owner},
        known::{login, standing},
        pending::Asked,
        tags::{self, Giver},
    },
    refused,
};
use crate::{
    db::{AuthKey, Node, Reason, SystemRows, TenantRows},
    error::{Error, Result},
    secret::token,
    tenancy::Changed,
};

/// Why an auth key lets nobody in. The sentences are for the person at the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    NotAKey,
    Unknown,
    Revoked,
    Expired,
    Used,
    KeyTaken,
    Tags(String),
}

impl Refusal {
    fn sentence(self) -> String {
        match self {
            Self::NotAKey => {
                "this is not an auth key of Warren, or a part of it is missing: copy it again"
            }
            Self::Unknown => {
                "this server does not know the auth key: make a new one in the console"
            }
            Self::Revoked => "the auth key was revoked: make a new one in the console",
            Self::Expired => "the auth key has expired: make a new one in the console",
            Self::Used => {
                "the auth key was for one machine and is used: make a new one in the console"
            }
            Self::KeyTaken => "the node key belongs to another machine: log out and try again",
            Self::Tags(why) => return why,
        }
        .to_owned()
    }

    /// Whether the machine failed to prove that it may join at all.
    fn is_failed_proof(&self) -> bool {
        match self {
            Self::NotAKey | Self::Unknown | Self::Revoked | Self::Expired | Self::Used => true,
            Self::KeyTaken | Self::Tags(_) => false,
        }
    }
}

/// What the transaction came to.
enum Outcome {
    Joined(Box<Joined>),
    Refused(Refusal),
}

struct Joined {
    tenant: TenantId,
    node: Node,
    login: Login,
    /// False when the machine had joined already: it asked twice at once.
    now: bool,
}

/// Joins by the auth key `secret`. Machines that fail to prove that they may
/// join are limited by their address; their neighbours with a good key are not.
pub(super) async fn by_key(
    control: &Control,
    asked: Asked,
    secret: &str,
) -> Result<RegisterResponse> {
    let (app, address) = (&control.app, asked.address);
    match outcome(control, asked, secret).await? {
        Outcome::Joined(joined) => {
            if joined.now {
                let changed = Changed::Node(joined.node.id);
                app.hub.changed(joined.tenant, changed).await;
            }
            Ok(standing(&joined.node, joined.login, false))
        }
        Outcome::Refused(why) => {
            if why.is_failed_proof() {
                let (limit, now) = (&control.failed_registrations, app.clock.instant());
                limit.check(address, now).map_err(Error::TooMany)?;
                limit.failed(address, now);
            }
            Ok(refused(why.sentence()))
        }
    }
}

/// What is no key of ours is refused without a place in the line of writers.
async fn outcome(control: &Control, asked: Asked, secret: &str) -> Result<Outcome> {
    let app = &control.app;
    if token::kind_of(secret) != Some(token::Kind::Auth) {
        return Ok(Outcome::Refused(Refusal::NotAKey));
    }
    let (hash, now) = (app.vault.hash(secret), asked.created);
    let listed = app.db.system(Reason::Directory).await?;
    let Some((_, key)) = listed.find_auth_key(&hash).await? else {
        return Ok(Outcome::Refused(Refusal::Unknown));
    };
    drop(listed);
    let limit = &control.registrations;
    limit
        .take(key, app.clock.instant())
        .map_err(Error::TooMany)?;
    let work = move |rows: SystemRows| async move { attempt(&rows, &asked, &hash, now).await };
    app.db.write_system(Reason::Directory, work).await
}

async fn attempt(rows: &SystemRows, asked: &Asked, hash: &str, now: Timestamp) -> Result<Outcome> {
    let Some((tenant, key)) = rows.find_auth_key(hash).await? else {
        return Ok(Outcome::Refused(Refusal::Unknown));
    };
    let scoped = rows.enter(tenant).await?;
    let key = scoped.auth_key(key).await?;
    if let Some(there) = already(rows, asked, &asked.node_key).await? {
        return Ok(there);
    }
    if let Some(why) = unusable(&key, now) {
        return Ok(Outcome::Refused(why));
    }
    let tags = match granted_tags(&scoped, asked, &key).await? {
        Ok(tags) => tags,
        Err(why) => return Ok(Outcome::Refused(Refusal::Tags(why))),
    };
    if !scoped.use_auth_key(key.id).await? {
        return Ok(Outcome::Refused(Refusal::Used));
    }
    let terms = Terms {
        owner: owner(key.user, tags),
        by: Actor::AuthKey { key: key.id },
        preapproved: key.preapproved,
        ephemeral: key.ephemeral || asked.ephemeral,
    };
    let node = admit(&scoped, asked, terms, now).await?;
    let login = login(&scoped, &node).await?;
    Ok(Outcome::Joined(Box::new(Joined {
        tenant,
        node,
        login,
        now: true,
    })))
}

/// Somebody holds the node key: this machine, which asked twice at once and
/// uses nothing up, or another one.
async fn already(rows: &SystemRows, asked: &Asked, key: &NodeKey) -> Result<Option<Outcome>> {
    let Some((tenant, id)) = rows.find_node_by_key(key).await? else {
        return Ok(None);
    };
    let scoped = rows.enter(tenant).await?;
    let node = scoped.node(id).await?;
    if node.machine_key != asked.machine {
        return Ok(Some(Outcome::Refused(Refusal::KeyTaken)));
    }
    let login = login(&scoped, &node).await?;
    Ok(Some(Outcome::Joined(Box::new(Joined {
        tenant,
        node,
        login,
        now: false,
    }))))
}

fn unusable(key: &AuthKey, now: Timestamp) -> Option<Refusal> {
    if key.revoked.is_some() {
        Some(Refusal::Revoked)
    } else if key.expires <= now {
        Some(Refusal::Expired)
    } else if !key.is_valid(now) {
        Some(Refusal::Used)
    } else {
        None
    }
}

/// The key's tags and those the machine asks for and may have.
async fn granted_tags(
    rows: &TenantRows,
    asked: &Asked,
    key: &AuthKey,
) -> Result<Result<Vec<Tag>, String>> {
    let wanted = match tags::read(&asked.hostinfo.request_tags) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Err(why)),
    };
    let mut tags = key.tags.clone();
    let extra: Vec<Tag> = wanted.into_iter().filter(|t| !tags.contains(t)).collect();
    let giver = if tags.is_empty() {
        Giver::User(key.user)
    } else {
        Giver::Tags(&key.tags)
    };
    let refused = tags::refused(rows, giver, &extra).await?;
    if !refused.is_empty() {
        return Ok(Err(tags::refusal(&refused)));
    }
    tags.extend(extra);
    Ok(Ok(tags))
}
