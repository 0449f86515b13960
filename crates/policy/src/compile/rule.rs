//! `acls` and `grants` → rules over terms.

use std::{collections::BTreeMap, sync::Arc};

use wire::net::PortRange;

use super::{
    RequirementId,
    term::{TermId, Terms},
};
use crate::{
    diagnostic::Span,
    document::{Acl, Document, Grant, Traffic},
    selector::{Selector, SelectorKind, autogroup::Autogroup},
};

/// Capabilities and their values.
pub type Capabilities = BTreeMap<String, Vec<serde_json::Value>>;

/// The section that a rule stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `acls`
    Acls,
    /// `grants`
    Grants,
}

impl Section {
    /// As the document writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acls => "acls",
            Self::Grants => "grants",
        }
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The section.
    pub section: Section,
    /// Its place there, from 0.
    pub index: usize,
    /// Where it stands.
    pub span: Span,
}

/// One rule over terms: traffic of one set of protocols, or capabilities. A
/// grant becomes as many rules as it has protocols, and one for its `app`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) origin: Origin,
    /// Empty: [`crate::protocol::DEFAULT`].
    pub(crate) protocols: Vec<u8>,
    pub(crate) sources: Vec<TermId>,
    /// What its sources must meet, as their terms say too.
    pub(crate) requirement: Option<RequirementId>,
    pub(crate) targets: Vec<(Where, PortRange)>,
    /// Tags of the routers that it goes through; empty: any.
    pub(crate) via: Vec<String>,
    /// What it gives instead of traffic.
    pub(crate) app: Option<Arc<Capabilities>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Where {
    Term(TermId),
    /// The own devices of the user that the source belongs to.
    SelfDevices,
}

/// Capabilities that whoever is given the first brings to those who give it.
const COMPANIONS: [(&str, &str); 2] = [
    ("tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"),
    ("tailscale.com/cap/relay", "tailscale.com/cap/relay-target"),
];

/// All rules in order.
pub(super) fn compile(document: &Document, terms: &mut Terms<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    if document.is_open {
        rules.push(open(terms));
    }
    for acl in document.acls.iter().flatten() {
        rules.push(from_acl(acl, terms));
    }
    for grant in document.grants.iter().flatten() {
        from_grant(grant, terms, &mut rules);
    }
    rules
}

/// The rule of a document without rules sections: all of the mesh to everything.
fn open(terms: &mut Terms<'_>) -> Rule {
    let requirement = terms.requirement(&[]);
    let any = terms.number(&SelectorKind::Any);
    Rule {
        origin: Origin {
            section: Section::Acls,
            index: 0,
            span: Span::default(),
        },
        protocols: Vec::new(),
        sources: vec![terms.source(&SelectorKind::Any, requirement)],
        requirement,
        targets: vec![(Where::Term(any), PortRange::ANY)],
        via: Vec::new(),
        app: None,
    }
}

fn from_acl(acl: &Acl, terms: &mut Terms<'_>) -> Rule {
    let requirement = terms.requirement(&acl.postures);
    let mut targets = Vec::new();
    for target in &acl.destinations {
        let place = place(&target.selector, terms);
        targets.extend(target.ports.iter().map(|ports| (place, *ports)));
    }
    Rule {
        origin: Origin {
            section: Section::Acls,
            index: acl.index,
            span: acl.span,
        },
        protocols: protocols(acl.protocol.as_ref()),
        sources: sources(&acl.sources, requirement, terms),
        requirement,
        targets,
        via: Vec::new(),
        app: None,
    }
}

fn from_grant(grant: &Grant, terms: &mut Terms<'_>, out: &mut Vec<Rule>) {
    let requirement = terms.requirement(&grant.postures);
    let places: Vec<Where> = grant.destinations.iter().map(|s| place(s, terms)).collect();
    let rule = Rule {
        origin: Origin {
            section: Section::Grants,
            index: grant.index,
            span: grant.span,
        },
        protocols: Vec::new(),
        sources: sources(&grant.sources, requirement, terms),
        requirement,
        targets: Vec::new(),
        via: grant.via.iter().map(|t| t.text.clone()).collect(),
        app: None,
    };
    for (protocols, ports) in by_protocol(&grant.ip) {
        let all = ports.iter();
        let targets = all.flat_map(|range| places.iter().map(|place| (*place, *range)));
        out.push(Rule {
            protocols,
            targets: targets.collect(),
            ..rule.clone()
        });
    }
    if !grant.app.is_empty() && grant.via.is_empty() {
        let app = grant.app.iter();
        let app = app.map(|a| (a.name.text.clone(), a.values.clone()));
        from_app(&rule, &places, app.collect(), out);
    }
}

/// Entries with the same protocols are one rule.
fn by_protocol(ip: &[Traffic]) -> Vec<(Vec<u8>, Vec<PortRange>)> {
    let mut all: Vec<(Vec<u8>, Vec<PortRange>)> = Vec::new();
    for traffic in ip {
        let numbers = protocols(traffic.protocol.as_ref());
        match all.iter_mut().find(|(known, _)| *known == numbers) {
            Some((_, ports)) => ports.extend(&traffic.ports),
            None => all.push((numbers, traffic.ports.clone())),
        }
    }
    all
}

/// The rule that gives capabilities, and those of its companions, which go the other way.
fn from_app(rule: &Rule, places: &[Where], app: Capabilities, out: &mut Vec<Rule>) {
    let everywhere = |places: Vec<Where>| -> Vec<(Where, PortRange)> {
        places.into_iter().map(|p| (p, PortRange::ANY)).collect()
    };
    let companions: Capabilities = COMPANIONS
        .iter()
        .filter(|(name, _)| app.contains_key(*name))
        .map(|(_, companion)| ((*companion).to_owned(), Vec::new()))
        .collect();
    out.push(Rule {
        targets: everywhere(places.to_vec()),
        app: Some(Arc::new(app)),
        ..rule.clone()
    });
    if companions.is_empty() {
        return;
    }
    let companions = Arc::new(companions);
    let givers = places.iter().filter_map(|place| match place {
        Where::Term(id) => Some(*id),
        Where::SelfDevices => None,
    });
    // The posture is asked of those at whom the companion holds.
    out.push(Rule {
        sources: givers.collect(),
        requirement: None,
        targets: everywhere(rule.sources.iter().map(|id| Where::Term(*id)).collect()),
        app: Some(Arc::clone(&companions)),
        ..rule.clone()
    });
    if places.contains(&Where::SelfDevices) {
        out.push(Rule {
            targets: everywhere(vec![Where::SelfDevices]),
            app: Some(companions),
            ..rule.clone()
        });
    }
}

fn protocols(protocol: Option<&crate::protocol::Protocol>) -> Vec<u8> {
    protocol.map(|p| p.numbers.clone()).unwrap_or_default()
}

fn sources(
    selectors: &[Selector],
    requirement: Option<RequirementId>,
    terms: &mut Terms<'_>,
) -> Vec<TermId> {
    let all = selectors.iter().map(|s| terms.source(&s.kind, requirement));
    let mut ids: Vec<TermId> = all.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn place(selector: &Selector, terms: &mut Terms<'_>) -> Where {
    if selector.kind == SelectorKind::Autogroup(Autogroup::SelfDevices) {
        Where::SelfDevices
    } else {
        Where::Term(terms.number(&selector.kind))
    }
}
