//! The routes of a node: what it offers, what was decided, and what it therefore serves.
//!
//! ```text
//! Hostinfo.RoutableIPs ─ offered ─┐
//!                                 ├─▶ served: into netmaps
//! rows of node_routes ─ approved ─┘
//! ```
//!
//! A route that nobody has decided about waits: an administrator decides, or the
//! policy's `autoApprovers` do, when it is offered or the policy changes. Nothing
//! is taken away by a changed policy, and an administrator's word stands over
//! it. A node that offers a route no longer does not serve it; the decision stays.

use std::collections::BTreeSet;

use policy::routes::{EXIT_ROUTES, check};
use wire::{api::me::Actor, net::Prefix};

use crate::{
    audit::AuditEvent,
    db::{self, Decision, TenantRows},
    error::Result,
};

/// Decisions about one node's routes that are kept at most.
pub const MOST_DECISIONS: usize = 1024;

/// What a node serves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Served {
    /// Networks behind it, in order.
    pub routes: Vec<Prefix>,
    /// `0.0.0.0/0` and `::/0` of an exit node.
    pub exit_routes: Vec<Prefix>,
}

/// What a node serves that offers these routes, after these decisions.
pub fn served(offered: &[Prefix], decisions: &[Decision]) -> Served {
    let approved: BTreeSet<&Prefix> = decisions
        .iter()
        .filter(|d| d.approved)
        .map(|d| &d.prefix)
        .collect();
    let serves = usable(offered).filter(|r| approved.contains(r));
    let serves: BTreeSet<Prefix> = serves.copied().collect();
    let (exit_routes, routes) = serves.into_iter().partition(Prefix::is_default_route);
    Served {
        routes,
        exit_routes,
    }
}

/// What a node offers that nobody has decided about, each once.
pub fn undecided(offered: &[Prefix], decisions: &[Decision]) -> BTreeSet<Prefix> {
    let decided: BTreeSet<&Prefix> = decisions.iter().map(|d| &d.prefix).collect();
    let open = usable(offered).filter(|r| !decided.contains(r));
    open.copied().collect()
}

fn usable(offered: &[Prefix]) -> impl Iterator<Item = &Prefix> {
    offered.iter().filter(|route| check(route).is_ok())
}

/// These routes, each once; either exit route stands for both.
pub fn with_exit_pairs(routes: impl IntoIterator<Item = Prefix>) -> BTreeSet<Prefix> {
    let mut all: BTreeSet<Prefix> = routes.into_iter().collect();
    if all.iter().any(Prefix::is_default_route) {
        all.extend(EXIT_ROUTES);
    }
    all
}

/// Writes these decisions and their record; the caller has left out what was
/// decided so before.
pub async fn decide(
    rows: &TenantRows,
    by: &Actor,
    node: &db::Node,
    routes: &BTreeSet<Prefix>,
    approved: bool,
) -> Result<()> {
    if routes.is_empty() {
        return Ok(());
    }
    for route in routes {
        rows.decide_route(node.id, route, approved, by).await?;
    }
    let (node, name) = (node.id, node.name.to_string());
    let routes = routes.iter().map(ToString::to_string).collect();
    let event = if approved {
        AuditEvent::NodeRoutesApproved { node, name, routes }
    } else {
        AuditEvent::NodeRoutesWithdrawn { node, name, routes }
    };
    rows.record(by, &event).await
}

#[cfg(test)]
mod tests {
    use wire::Timestamp;

    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    fn decided(approved: &[&str], withdrawn: &[&str]) -> Vec<Decision> {
        let decision = |(prefix, approved)| Decision {
            prefix,
            approved,
            by: Actor::Server,
            at: Timestamp::ZERO,
        };
        let approved = prefixes(approved).into_iter().map(|p| (p, true));
        let withdrawn = prefixes(withdrawn).into_iter().map(|p| (p, false));
        approved.chain(withdrawn).map(decision).collect()
    }

    #[test]
    fn a_node_serves_what_it_offers_and_may() {
        let offered = prefixes(&["10.2.0.0/16", "10.1.0.0/16", "0.0.0.0/0", "10.1.0.0/16"]);
        let decisions = decided(
            &["10.1.0.0/16", "10.9.0.0/16", "0.0.0.0/0", "::/0"],
            &["10.2.0.0/16"],
        );
        let is = served(&offered, &decisions);
        assert_eq!(is.routes, prefixes(&["10.1.0.0/16"]));
        assert_eq!(is.exit_routes, prefixes(&["0.0.0.0/0"]));
        assert_eq!(served(&offered, &[]), Served::default());
    }

    #[test]
    fn what_cannot_be_routed_is_never_served_nor_waited_for() {
        let offered = prefixes(&["100.64.0.0/24", "127.0.0.0/8", "10.0.0.0/8"]);
        let decisions = decided(&["100.64.0.0/24", "127.0.0.0/8"], &[]);
        assert_eq!(served(&offered, &decisions), Served::default());
        let open: Vec<_> = undecided(&offered, &[]).into_iter().collect();
        assert_eq!(open, prefixes(&["10.0.0.0/8"]));
    }

    #[test]
    fn a_decision_either_way_ends_the_waiting() {
        let offered = prefixes(&["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
        let decisions = decided(&["10.1.0.0/16"], &["10.2.0.0/16"]);
        let open: Vec<_> = undecided(&offered, &decisions).into_iter().collect();
        assert_eq!(open, prefixes(&["10.3.0.0/16"]));
    }

    #[test]
    fn either_exit_route_means_both() {
        let both = with_exit_pairs(prefixes(&["::/0", "10.0.0.0/8"]));
        let both: Vec<_> = both.into_iter().collect();
        assert_eq!(both, prefixes(&["0.0.0.0/0", "10.0.0.0/8", "::/0"]));
        assert_eq!(with_exit_pairs(prefixes(&["10.0.0.0/8"])).len(), 1);
    }
}
