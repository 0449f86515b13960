//! `warren-server node …`.

use clap::Subcommand;
use wire::api::{
    me::Actor,
    node::{DecideRoutes, Node, Owner, Route, RouteStanding},
};

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
    /// Show the routes of a machine, or decide about them.
    Routes {
        #[command(flatten)]
        which: Which,
        /// Its name or id.
        node: String,
        /// A route that it may serve; may be repeated. `0.0.0.0/0` makes an exit node.
        #[arg(long, value_name = "PREFIX")]
        approve: Vec<String>,
        /// A route that it may not serve; may be repeated.
        #[arg(long, value_name = "PREFIX")]
        withdraw: Vec<String>,
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
            Self::Routes {
                which,
                node,
                approve,
                withdraw,
            } if approve.is_empty() && withdraw.is_empty() => Request::Routes {
                tenant: which.tenant,
                node,
            },
            Self::Routes {
                which,
                node,
                approve,
                withdraw,
            } => Request::DecideRoutes {
                tenant: which.tenant,
                node,
                wish: DecideRoutes { approve, withdraw },
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
        Request::Approve { .. }
        | Request::List { .. }
        | Request::Routes { .. }
        | Request::DecideRoutes { .. } => format!("{name} is approved"),
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

pub(super) fn routes(routes: &[Route]) -> String {
    if routes.is_empty() {
        return "it offers no route".into();
    }
    let rows: Vec<_> = routes
        .iter()
        .map(|route| {
            let offered = if route.advertised { "yes" } else { "no" };
            let primary = if route.primary { "yes" } else { "" };
            [
                route.prefix.to_string(),
                offered.to_owned(),
                standing(&route.standing),
                primary.to_owned(),
            ]
        })
        .collect();
    table(["ROUTE", "OFFERED", "STANDING", "PRIMARY"], &rows)
}

fn standing(standing: &RouteStanding) -> String {
    match standing {
        RouteStanding::Waiting => "waits for approval".to_owned(),
        RouteStanding::Approved { by, .. } => format!("approved by {}", decider(by)),
        RouteStanding::Withdrawn { by, .. } => format!("withdrawn by {}", decider(by)),
        RouteStanding::Unusable { why } => format!("unusable: {why}"),
    }
}

fn decider(by: &Actor) -> String {
    match by {
        Actor::User { email } => email.clone(),
        Actor::LocalAdmin { login } => format!("{login} at the server's shell"),
        Actor::AuthKey { key } => format!("the auth key {key}"),
        Actor::Server => "the policy".to_owned(),
    }
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
    words.extend((node.routes.waiting > 0).then(|| "routes wait for approval".to_owned()));
    words.push(presence);
    words.join(", ")
}
