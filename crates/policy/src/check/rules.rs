//! What rules say that cannot be, or that nothing acts on yet.

use super::not_acted_on;
use crate::{
    diagnostic::{Code, Sink, Span},
    document::Document,
    selector::{Selector, SelectorKind, autogroup::Autogroup},
};

pub(super) fn check(document: &Document, sink: &mut Sink) {
    for acl in document.acls.iter().flatten() {
        let targets = || acl.destinations.iter().map(|t| &t.selector);
        if targets().any(is_self) {
            check_self(&acl.sources, true, sink);
        }
        warn(&acl.sources, targets(), sink);
    }
    for grant in document.grants.iter().flatten() {
        if grant.destinations.iter().any(is_self) {
            check_self(&grant.sources, false, sink);
        }
        warn(&grant.sources, grant.destinations.iter(), sink);
    }
    check_ipsets(document, sink);
}

fn is_self(selector: &Selector) -> bool {
    selector.kind == SelectorKind::Autogroup(Autogroup::SelfDevices)
}

/// `autogroup:self` needs sources that are people; `acls` pass over the tagged
/// nodes of `*`, `grants` refuse it.
fn check_self(sources: &[Selector], any_is_fine: bool, sink: &mut Sink) {
    for source in sources {
        let passes = any_is_fine && source.kind == SelectorKind::Any;
        if !passes && !source.kind.is_of_users() {
            sink.error(
                Code::SelfSource,
                source.span,
                "autogroup:self can only be used with users, groups, or supported autogroups",
            )
            .help("put this source into a rule of its own");
        }
    }
}

/// Names what the service supports and nothing here acts on yet.
fn warn<'a>(sources: &[Selector], targets: impl Iterator<Item = &'a Selector>, sink: &mut Sink) {
    for source in sources {
        if source.kind == SelectorKind::Autogroup(Autogroup::Shared) {
            let what = "`autogroup:shared`";
            not_acted_on(
                source.span,
                what,
                "no machine is shared, it matches nobody",
                sink,
            );
        }
    }
    for target in targets {
        if let SelectorKind::Service(name) = &target.kind {
            let what = format!("`{name}`");
            not_acted_on(
                target.span,
                &what,
                "there are no services, it matches nothing",
                sink,
            );
        }
    }
}

/// A set inside itself has no addresses.
fn check_ipsets(document: &Document, sink: &mut Sink) {
    for (name, span) in crate::ipset::Sets::new(document).circles() {
        sink.error(
            Code::InvalidSelector,
            span,
            format!("`{name}` is a part of itself"),
        )
        .help("name the addresses of one of the sets in the other");
    }
}

/// Warns of rules that allow nothing; only where nothing was left out as unreadable.
pub(super) fn warn_of_empty(document: &Document, sink: &mut Sink) {
    let mut look = |span: Span, no_sources: bool, no_targets: bool| {
        let which = match (no_sources, no_targets) {
            (true, _) => "sources",
            (false, true) => "destinations",
            (false, false) => return,
        };
        sink.warning(
            Code::EmptyRule,
            span,
            format!("this rule has no {which} and allows nothing"),
        );
    };
    for acl in document.acls.iter().flatten() {
        look(
            acl.span,
            acl.sources.is_empty(),
            acl.destinations.is_empty(),
        );
    }
    for grant in document.grants.iter().flatten() {
        look(
            grant.span,
            grant.sources.is_empty(),
            grant.destinations.is_empty(),
        );
    }
    let sections = document.acls.is_some() || document.grants.is_some();
    let no_acls = document.acls.as_ref().is_none_or(Vec::is_empty);
    if sections && no_acls && document.grants.as_ref().is_none_or(Vec::is_empty) {
        sink.warning(
            Code::NothingAllowed,
            Span::default(),
            "there are no rules in `acls` or `grants`: all traffic is denied",
        );
    }
}
