//! The routes of a machine, as its page lists them.

use wire::{
    api::{
        me::Actor,
        node::{Route, RouteStanding, RouteSummary},
    },
    net::Prefix,
};

use super::audit;

/// One line: a route, or the two of an exit node together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The route; of an exit node either, which stands for both.
    pub(crate) prefix: Prefix,
    /// Whether the machine offers it now.
    pub(crate) advertised: bool,
    /// What was decided.
    pub(crate) standing: RouteStanding,
    /// Whether the network's traffic into it comes here.
    pub(crate) primary: bool,
}

/// How good a line's state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// In use.
    Good,
    /// Without effect.
    Idle,
    /// Somebody must look.
    Caution,
    /// Wrong.
    Bad,
}

impl Line {
    /// Whether it is that of an exit node.
    pub(crate) fn is_exit(&self) -> bool {
        self.prefix.is_default_route()
    }

    /// What it is called.
    pub(crate) fn title(&self) -> String {
        if self.is_exit() {
            "Exit node".to_owned()
        } else {
            self.prefix.to_string()
        }
    }

    /// Whether somebody must decide.
    pub(crate) fn waits(&self) -> bool {
        self.advertised && self.standing == RouteStanding::Waiting
    }

    /// Whether it may be approved.
    pub(crate) fn may_be_approved(&self) -> bool {
        matches!(
            self.standing,
            RouteStanding::Waiting | RouteStanding::Withdrawn { .. }
        )
    }

    /// Whether an approval may be taken back.
    pub(crate) fn may_be_withdrawn(&self) -> bool {
        matches!(self.standing, RouteStanding::Approved { .. })
    }

    /// Its state in a word or two.
    pub(crate) fn state(&self) -> (Mood, &'static str) {
        match &self.standing {
            RouteStanding::Waiting => (Mood::Caution, "Needs approval"),
            RouteStanding::Approved { .. } if self.advertised => (Mood::Good, "Approved"),
            RouteStanding::Approved { .. } => (Mood::Idle, "Approved, not offered"),
            RouteStanding::Withdrawn { .. } => (Mood::Idle, "Withdrawn"),
            RouteStanding::Unusable { .. } => (Mood::Bad, "Unusable"),
        }
    }

    /// Who decided, or why it cannot be.
    pub(crate) fn note(&self) -> Option<String> {
        match &self.standing {
            RouteStanding::Waiting => None,
            RouteStanding::Approved { by, .. } | RouteStanding::Withdrawn { by, .. } => {
                Some(format!("by {}", decider(by)))
            }
            RouteStanding::Unusable { why } => Some(why.clone()),
        }
    }
}

fn decider(by: &Actor) -> String {
    match by {
        Actor::Server => "the policy".to_owned(),
        Actor::User { .. } | Actor::LocalAdmin { .. } | Actor::AuthKey { .. } => audit::actor(by),
    }
}

/// The lines: what waits first, then an exit node, then by address.
pub(crate) fn lines(routes: &[Route]) -> Vec<Line> {
    let line = |route: &Route| Line {
        prefix: route.prefix,
        advertised: route.advertised,
        standing: route.standing.clone(),
        primary: route.primary,
    };
    let exit = routes.iter().filter(|route| route.is_exit());
    // The two are decided together; what is offered says more.
    let exit = exit.max_by_key(|route| (route.advertised, route.prefix.addr.is_ipv4()));
    let others = routes.iter().filter(|route| !route.is_exit());
    let mut lines: Vec<Line> = exit.into_iter().chain(others).map(line).collect();
    lines.sort_by_key(|line| !line.waits());
    lines
}

/// The lines in the order in which they are shown already; new ones come last.
pub(crate) fn in_order_of(mut lines: Vec<Line>, before: &[Line]) -> Vec<Line> {
    let place = |line: &Line| before.iter().position(|old| old.title() == line.title());
    lines.sort_by_key(|line| place(line).unwrap_or(before.len()));
    lines
}

/// What a machine is for others.
pub(crate) fn roles(routes: RouteSummary) -> Vec<&'static str> {
    let router = (routes.subnets > 0).then_some("Subnet router");
    let exit = routes.exit_node.then_some("Exit node");
    router.into_iter().chain(exit).collect()
}

/// `2 routes need approval`, when some do.
pub(crate) fn waiting(routes: RouteSummary) -> Option<String> {
    match routes.waiting {
        0 => None,
        1 => Some("1 route needs approval".to_owned()),
        n => Some(format!("{n} routes need approval")),
    }
}

#[cfg(test)]
mod tests {
    use wire::Timestamp;

    use super::*;

    fn route(prefix: &str, advertised: bool, standing: RouteStanding) -> Route {
        Route {
            prefix: prefix.parse().unwrap(),
            advertised,
            standing,
            primary: false,
        }
    }

    fn approved(by: Actor) -> RouteStanding {
        RouteStanding::Approved {
            by,
            at: Timestamp::from_unix_seconds(0),
        }
    }

    #[test]
    fn what_waits_comes_first_and_an_exit_node_is_one_line() {
        let routes = [
            route("0.0.0.0/0", true, approved(Actor::Server)),
            route("10.1.0.0/16", true, approved(Actor::Server)),
            route("10.2.0.0/16", true, RouteStanding::Waiting),
            route("::/0", false, approved(Actor::Server)),
        ];
        let lines = lines(&routes);
        let titles: Vec<_> = lines.iter().map(Line::title).collect();
        assert_eq!(titles, ["10.2.0.0/16", "Exit node", "10.1.0.0/16"]);
        assert!(lines[1].advertised);
        assert_eq!(lines[0].state(), (Mood::Caution, "Needs approval"));
        assert!(lines[0].may_be_approved() && !lines[0].may_be_withdrawn());
        assert_eq!(lines[1].state(), (Mood::Good, "Approved"));
        assert_eq!(lines[1].note().as_deref(), Some("by the policy"));
        assert!(!lines[1].may_be_approved() && lines[1].may_be_withdrawn());
    }

    #[test]
    fn lines_keep_their_places_while_they_are_decided() {
        let waits = |prefix| route(prefix, true, RouteStanding::Waiting);
        let before = lines(&[waits("10.1.0.0/16"), waits("10.2.0.0/16")]);
        let decided = route("10.1.0.0/16", true, approved(Actor::Server));
        let now = lines(&[waits("10.0.0.0/16"), decided, waits("10.2.0.0/16")]);
        let titles: Vec<_> = in_order_of(now, &before).iter().map(Line::title).collect();
        assert_eq!(titles, ["10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/16"]);
    }

    #[test]
    fn what_has_no_effect_says_why() {
        let ada = Actor::User {
            email: "ada@x.example".to_owned(),
        };
        let gone = &lines(&[route("10.1.0.0/16", false, approved(ada.clone()))])[0];
        assert_eq!(gone.state(), (Mood::Idle, "Approved, not offered"));
        assert_eq!(gone.note().as_deref(), Some("by ada@x.example"));
        let standing = RouteStanding::Withdrawn {
            by: ada,
            at: Timestamp::from_unix_seconds(0),
        };
        let withdrawn = &lines(&[route("10.1.0.0/16", true, standing)])[0];
        assert_eq!(withdrawn.state(), (Mood::Idle, "Withdrawn"));
        assert!(withdrawn.may_be_approved() && !withdrawn.waits());
        let why = "it overlaps the mesh's own addresses".to_owned();
        let standing = RouteStanding::Unusable { why: why.clone() };
        let unusable = &lines(&[route("100.64.0.0/16", true, standing)])[0];
        assert_eq!(unusable.note(), Some(why));
        assert!(!unusable.may_be_approved() && !unusable.may_be_withdrawn());
    }

    #[test]
    fn a_machine_is_named_by_what_it_serves() {
        let none = RouteSummary::default();
        assert!(roles(none).is_empty() && waiting(none).is_none());
        let both = RouteSummary {
            subnets: 2,
            exit_node: true,
            waiting: 1,
        };
        assert_eq!(roles(both), ["Subnet router", "Exit node"]);
        assert_eq!(waiting(both).as_deref(), Some("1 route needs approval"));
    }
}
