//! A machine's routes as the API shows them.

use std::collections::BTreeMap;

use policy::routes::check;
use wire::{
    api::node::{Route, RouteStanding, RouteSummary},
    net::Prefix,
};

use crate::db::Decision;

/// All that is offered or was decided upon, by address. `primary`: what the
/// machine is the primary router of.
pub(super) fn routes(offered: &[Prefix], decisions: &[Decision], primary: &[Prefix]) -> Vec<Route> {
    let offers = offered.iter().map(|p| (*p, None));
    let mut all: BTreeMap<Prefix, Option<&Decision>> = offers.collect();
    all.extend(decisions.iter().map(|d| (d.prefix, Some(d))));
    let route = |(prefix, decision): (Prefix, Option<&Decision>)| Route {
        prefix,
        advertised: offered.contains(&prefix),
        standing: standing(&prefix, decision),
        primary: primary.contains(&prefix),
    };
    all.into_iter().map(route).collect()
}

fn standing(prefix: &Prefix, decision: Option<&Decision>) -> RouteStanding {
    if let Err(why) = check(prefix) {
        return RouteStanding::Unusable {
            why: why.to_string(),
        };
    }
    let Some(decision) = decision else {
        return RouteStanding::Waiting;
    };
    let (by, at) = (decision.by.clone(), decision.at);
    if decision.approved {
        RouteStanding::Approved { by, at }
    } else {
        RouteStanding::Withdrawn { by, at }
    }
}

/// The same in numbers.
pub(super) fn summary(routes: &[Route]) -> RouteSummary {
    let (exit, subnets): (Vec<_>, Vec<_>) = routes.iter().partition(|route| route.is_exit());
    let waiting = subnets.iter().filter(|route| route.waits()).count();
    let exit_waits = exit.iter().any(|route| route.waits());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RouteSummary {
        subnets: count(subnets.iter().filter(|route| route.is_served()).count()),
        exit_node: exit.iter().any(|route| route.is_served()),
        waiting: count(waiting + usize::from(exit_waits)),
    }
}
