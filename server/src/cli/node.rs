//! `warren-server node …`.

use clap::Subcommand;
use wire::api::node::{Node, Owner};

use super::{table::table, tenant::Which, when::when};
use crate::admin::{self, node::Request};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the machines.
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Let a waiting machine in.
    Approve {
        #[command(flatten)]
        which: Which,
        /// Its name or id.
        node: String,
    },
    /// End a machine's key now: it is cut off until somebody signs it in again.
    Expire {
        #[command(flatten)]
        which: Which,
        /// Its name or id.
        node: String,
    },
    /// Remove a machine: it is cut off and forgotten.
    Remove {
        #[command(flatten)]
        which: Which,
        /// Its name or id.
        node: String,
    },
}

impl Command {
    pub(super) fn request(self) -> admin::Request {
        admin::Request::Node(match self {
            Self::List { which } => Request::List {
                tenant: which.tenant,
            },
            Self::Approve { which, node } => Request::Approve {
                tenant: which.tenant,
                node,
            },
            Self::Expire { which, node } => Request::Expire {
                tenant: which.tenant,
                node,
            },
            Self::Remove { which, node } => Request::Remove {
                tenant: which.tenant,
                node,
            },
        })
    }
}

/// What was done, to be said of `node`.
pub(super) fn changed(request: &admin::Request, node: &Node) -> String {
    let name = &node.name;
    let admin::Request::Node(request) = request else {
        return name.clone();
    };
    match request {
        Request::Remove { .. } => format!("{name} is removed"),
        Request::Expire { .. } => {
            format!("the key of {name} has ended; `warren up` on it signs it in again")
        }
        Request::Approve { .. } | Request::List { .. } => format!("{name} is approved"),
    }
}

pub(super) fn list(nodes: &[Node]) -> String {
    if nodes.is_empty() {
        return "no machine yet; `warren-server auth-key create` makes a key to join with".into();
    }
    let rows: Vec<_> = nodes
        .iter()
        .map(|n| {
            let first = n.addresses.first().map(ToString::to_string);
            [
                n.id.to_string(),
                n.name.clone(),
                first.unwrap_or_default(),
                owner(&n.owner),
                n.os.clone(),
                state(n),
            ]
        })
        .collect();
    table(["ID", "NAME", "ADDRESS", "OWNER", "OS", "STATE"], &rows)
}

fn owner(owner: &Owner) -> String {
    match owner {
        Owner::User { email, .. } => email.clone(),
        Owner::Tags { tags } => tags.join(","),
    }
}

fn state(node: &Node) -> String {
    let presence = match (node.online, node.last_seen) {
        (true, _) => "online".to_owned(),
        (false, Some(at)) => format!("offline since {}", when(at)),
        (false, None) => "never seen".to_owned(),
    };
    let mut words = Vec::new();
    words.extend((!node.approved).then(|| "waits for approval".to_owned()));
    words.extend(node.expired.then(|| "key expired".to_owned()));
    words.push(presence);
    words.join(", ")
}
