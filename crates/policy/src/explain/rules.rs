//! The rules of a document in one form, whichever section they stand in.

use wire::net::PortRange;

use super::{Part, RuleAt};
use crate::{
    diagnostic::Span,
    document::{Acl, Document, Grant},
    posture::{self, Requirement},
    protocol::{self, Protocol},
    selector::{Selector, SelectorKind},
    source::Text,
};

static ANYBODY: Selector = Selector {
    span: Span::new(0, 0),
    kind: SelectorKind::Any,
};
static ALL_PORTS: [PortRange; 1] = [PortRange::ANY];

/// One rule.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) at: RuleAt,
    pub(super) sources: &'a [Selector],
    pub(super) places: Vec<Place<'a>>,
    /// Empty: it lets no traffic through.
    pub(super) traffic: Vec<Traffic<'a>>,
    pub(super) via: &'a [Text],
    /// Postures of which its sources must meet one; `None`: it asks for none.
    pub(super) requirement: Option<Requirement>,
    /// True when it names none itself, and the document's default ones apply.
    pub(super) is_default: bool,
}

/// A destination, with the ports that `acls` give it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) selector: &'a Selector,
    ports: &'a [PortRange],
}

/// Protocols and the ports that `grants` give them.
#[derive(Debug)]
pub(super) struct Traffic<'a> {
    protocol: Option<&'a Protocol>,
    ports: &'a [PortRange],
}

impl Traffic<'_> {
    pub(super) fn is_of(&self, proto: u8) -> bool {
        match self.protocol {
            None => protocol::DEFAULT.contains(&proto),
            Some(protocol) => protocol.numbers.contains(&proto),
        }
    }

    /// The ports at a place; all of them where ports do not count.
    pub(super) fn ports_at(&self, place: &Place<'_>, proto: u8) -> Vec<PortRange> {
        let whole = |ranges: &[PortRange]| ranges.contains(&PortRange::ANY);
        let unasked = protocol::is_icmp(proto);
        if unasked || !protocol::has_ports(proto) {
            let all = unasked || (whole(place.ports) && whole(self.ports));
            return all.then_some(PortRange::ANY).into_iter().collect();
        }
        let pairs = place
            .ports
            .iter()
            .flat_map(|a| self.ports.iter().map(move |b| (*a, *b)));
        pairs
            .filter_map(|(a, b)| super::ports::common(a, b))
            .collect()
    }
}

/// The rules in the order in which they are tried.
pub(super) fn all(document: &Document) -> Vec<Rule<'_>> {
    let open = document.is_open.then(|| open(document));
    let acls = document
        .acls
        .iter()
        .flatten()
        .map(|acl| of_acl(document, acl));
    let grants = document
        .grants
        .iter()
        .flatten()
        .map(|grant| of_grant(document, grant));
    open.into_iter().chain(acls).chain(grants).collect()
}

/// What a rule with these postures of its own asks of its sources.
pub(super) fn requirement(document: &Document, own: &[Text]) -> Option<Requirement> {
    posture::asks(document, own).map(|names| Requirement::new(document, names))
}

fn open(document: &Document) -> Rule<'_> {
    Rule {
        at: RuleAt {
            section: Part::Open,
            index: 0,
            span: Span::default(),
        },
        sources: std::slice::from_ref(&ANYBODY),
        places: vec![Place {
            selector: &ANYBODY,
            ports: &ALL_PORTS,
        }],
        traffic: vec![Traffic {
            protocol: None,
            ports: &ALL_PORTS,
        }],
        via: &[],
        requirement: requirement(document, &[]),
        is_default: true,
    }
}

fn of_acl<'a>(document: &Document, acl: &'a Acl) -> Rule<'a> {
    let places = acl.destinations.iter().map(|target| Place {
        selector: &target.selector,
        ports: &target.ports,
    });
    Rule {
        at: RuleAt {
            section: Part::Acls,
            index: acl.index,
            span: acl.span,
        },
        sources: &acl.sources,
        places: places.collect(),
        traffic: vec![Traffic {
            protocol: acl.protocol.as_ref(),
            ports: &ALL_PORTS,
        }],
        via: &[],
        requirement: requirement(document, &acl.postures),
        is_default: acl.postures.is_empty(),
    }
}

fn of_grant<'a>(document: &Document, grant: &'a Grant) -> Rule<'a> {
    let places = grant.destinations.iter().map(|selector| Place {
        selector,
        ports: &ALL_PORTS,
    });
    let traffic = grant.ip.iter().map(|traffic| Traffic {
        protocol: traffic.protocol.as_ref(),
        ports: &traffic.ports,
    });
    Rule {
        at: RuleAt {
            section: Part::Grants,
            index: grant.index,
            span: grant.span,
        },
        sources: &grant.sources,
        places: places.collect(),
        traffic: traffic.collect(),
        via: &grant.via,
        requirement: requirement(document, &grant.postures),
        is_default: grant.postures.is_empty(),
    }
}
