//! The node behind a request. Its key is public to its peers, so the key alone
//! proves nothing: it must belong to the machine of this session. A node of
//! another machine is answered for as one that does not exist.

use wire::{
    MachineKey, NodeKey, TenantId,
    control::{Login, RegisterResponse, User},
};

use crate::{
    app::App,
    db::{Node, NodeOwner, Reason, TenantRows},
    error::Result,
};

/// Whose a node key is.
#[derive(Debug)]
pub(super) enum Holder {
    /// This machine's.
    Ours(Box<Known>),
    /// Nobody's, or another machine's.
    NotOurs,
}

/// A node of this session's machine.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) tenant: TenantId,
    pub(super) node: Node,
}

impl Known {
    /// How things stand with the node, as its person is told.
    pub(super) async fn standing(&self, app: &App) -> Result<RegisterResponse> {
        let rows = app.db.tenant(self.tenant).await?;
        let expired = self
            .node
            .key_expiry
            .is_some_and(|expiry| expiry <= app.clock.now());
        let login = login(&rows, &self.node).await?;
        Ok(standing(&self.node, login, expired))
    }
}

/// Finds the node that holds `key`.
pub(super) async fn find(app: &App, machine: &MachineKey, key: &NodeKey) -> Result<Holder> {
    let found = app.db.system(Reason::Directory).await?;
    let Some((tenant, id)) = found.find_node_by_key(key).await? else {
        return Ok(Holder::NotOurs);
    };
    let rows = found.enter(tenant).await?;
    match rows.find_node(id).await? {
        Some(node) if node.machine_key == *machine && node.node_key == *key => {
            Ok(Holder::Ours(Box::new(Known { tenant, node })))
        }
        Some(_) | None => Ok(Holder::NotOurs),
    }
}

/// Who a node's person is signed in as.
pub(super) async fn login(rows: &TenantRows, node: &Node) -> Result<Login> {
    let (id, login_name, display_name) = match &node.owner {
        NodeOwner::User(user) => {
            let profile = rows.profile(*user).await?;
            let name = plain(&profile.display_name);
            (*user, plain(&profile.email), name)
        }
        NodeOwner::Tags(_) => {
            let user = rows.tenant().await?.tagged_user;
            (user, TAGGED_LOGIN.to_owned(), TAGGED_NAME.to_owned())
        }
    };
    Ok(Login {
        id,
        provider: PROVIDER.to_owned(),
        login_name,
        display_name,
    })
}

/// The text without what JSON writes as an escape: some clients cannot read it.
pub(super) fn plain(text: &str) -> String {
    let kept = |c: &char| !c.is_control() && *c != '"' && *c != '\\';
    text.chars().filter(kept).collect()
}

const PROVIDER: &str = "warren";
const TAGGED_LOGIN: &str = "tagged-devices";
const TAGGED_NAME: &str = "Tagged Devices";

/// How things stand with a node.
pub(super) fn standing(node: &Node, login: Login, expired: bool) -> RegisterResponse {
    RegisterResponse {
        user: User {
            id: login.id,
            display_name: login.display_name.clone(),
        },
        login,
        node_key_expired: expired,
        machine_authorized: node.approved,
        auth_url: String::new(),
        error: String::new(),
    }
}
