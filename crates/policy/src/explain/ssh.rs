//! Why a device may sign in to another by SSH, or not.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use wire::net::PortRange;

use super::{
    Because, Cause, Denial, Explainer, Explanation, Flow, Link, Part, RuleAt, answer::with_unmet,
    judge::is_self, names::Party, rules,
};
use crate::{
    decide::End,
    diagnostic::Span,
    directory::NodeFacts,
    document::ssh::{Login, LoginKind, SshAction, SshRule},
    posture::Unmet,
    selector::Selector,
    ssh::{ACTS_ON_CHECKS, PORT},
};

/// What a connection for a sign-in goes to.
pub(super) static PORTS: [PortRange; 1] = [PortRange::one(PORT)];
/// Its protocol.
pub(super) const TCP: u8 = 6;

/// The most rules that a denial names.
const NEAREST: usize = 3;

/// A sign-in that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// The device that it comes from.
    pub from: &'a NodeFacts,
    /// The device that it goes to.
    pub to: &'a NodeFacts,
    /// The login name.
    pub login: &'a str,
    /// The devices of the tenant, among which recorders are looked for.
    pub nodes: &'a [NodeFacts],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum SshExplanation {
    /// A rule lets it in, and its packets get there.
    Allowed(Box<SshChain>),
    /// A rule of `ssh` matches, and nobody gets in by it.
    Barred {
        /// The rule, and why it matches.
        chain: Box<SshChain>,
        /// What stands in the way: at least one, what comes first on the way first.
        bars: Vec<Bar>,
    },
    /// No rule of `ssh` lets it in.
    Denied {
        /// The cause.
        cause: SshMissing,
        /// Up to three rules that come nearest, the nearest first.
        nearest: Vec<SshNear>,
    },
}

/// What stands in the way of a sign-in that a rule of `ssh` matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// `acls` and `grants` do not open the port: why, and the rules that come nearest.
    #[serde(rename = "port_22")]
    Port(Denial),
    /// The rule asks for a check, and checks are not acted on ([`ACTS_ON_CHECKS`]).
    Check,
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port(denial) => match denial.cause {
                Cause::AddressDisabled | Cause::DifferentFamily => {
                    write!(f, "tcp port {PORT} is not open: {}", denial.cause)
                }
                Cause::NoSuchSource
                | Cause::NoSuchDestination
                | Cause::RouteNotApproved
                | Cause::EmptyPolicy
                | Cause::SourceInNoRule
                | Cause::DestinationInNoRuleOfSource
                | Cause::SelfMismatch
                | Cause::Via
                | Cause::Posture
                | Cause::DefaultPosture
                | Cause::NoTraffic
                | Cause::Protocol
                | Cause::Port => write!(
                    f,
                    "no rule of `acls` or `grants` opens tcp port {PORT}, without which nobody \
                     signs in"
                ),
            },
            Self::Check => f.write_str(
                "the rule asks for a check that the person signed in lately, and this server \
                 cannot check people yet",
            ),
        }
    }
}

/// What lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshChain {
    /// Why the source is one of the rule's.
    pub source: Link,
    /// The rule.
    pub rule: RuleAt,
    /// Why the destination is one of the rule's.
    pub target: Link,
    /// Where the rule gives the login name.
    pub login: Span,
    /// True when the person must have signed in lately.
    pub check: bool,
    /// The posture of the rule that the source meets, and where it is defined.
    #[serde(default)]
    pub posture: Option<(String, Span)>,
}

/// A rule that does not let it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshNear {
    /// The rule.
    pub rule: RuleAt,
    /// What is missing, the most important first.
    pub missing: Vec<SshMissing>,
    /// Where a posture is missing: of each posture of the rule, what does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
}

impl SshNear {
    /// What is missing in words, with what the device has where a posture is.
    pub fn words(&self) -> Vec<String> {
        let missing = self.missing.iter();
        let words = missing.map(|m| with_unmet(m, *m == SshMissing::Posture, &self.unmet));
        words.collect()
    }
}

/// What stands in the way of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SshMissing {
    /// The source is an address behind a router, not a device.
    SourceOutside,
    /// The destination is an address behind a router, not a device.
    DestinationOutside,
    /// There are no rules in `ssh`.
    Rules,
    /// The source is in no rule.
    Source,
    /// The destination is in no rule of the source.
    Destination,
    /// The rule leads to the user's own devices, and this is another's.
    SameUser,
    /// The rule does not give the login name.
    Login,
    /// The source does not meet the rule's postures.
    Posture,
    /// The rule demands a recording and no device records.
    Recorder,
}

impl std::fmt::Display for SshMissing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SourceOutside => {
                "sign-ins come from machines of the mesh alone, and this is none"
            }
            Self::DestinationOutside => {
                "only machines of the mesh take sign-ins by `ssh` rules, and this is none"
            }
            Self::Rules => "the policy has no rules in `ssh`",
            Self::Source => "the source is not in `src`",
            Self::Destination => "the destination is not in `dst`",
            Self::SameUser => "`autogroup:self` leads to the user's own devices alone",
            Self::Login => "the login name is not in `users`",
            Self::Posture => "the source device does not meet the rule's postures",
            Self::Recorder => "the rule demands a recording and no device records",
        })
    }
}

impl Explainer<'_> {
    /// Why the sign-in is let in, or not, by any of the addresses of the two. It takes a rule of
    /// `ssh`, and one of `acls` or `grants` that opens the port.
    pub fn explain_ssh(&self, asked: &SignIn<'_>) -> SshExplanation {
        let end = |node, address: &IpAddr| End {
            node,
            address: *address,
        };
        let mut flows = Vec::new();
        for from in &asked.from.addresses {
            let of_family = |to: &&IpAddr| to.is_ipv4() == from.is_ipv4();
            flows.extend(asked.to.addresses.iter().filter(of_family).map(|to| Flow {
                from: end(asked.from, from),
                to: end(asked.to, to),
                proto: TCP,
                ports: &PORTS,
                offered: &[],
            }));
        }
        self.explain_sign_in(asked, &flows)
    }

    /// The answer where its packets may come by each of these flows to the port.
    pub(super) fn explain_sign_in(&self, asked: &SignIn<'_>, flows: &[Flow<'_>]) -> SshExplanation {
        let explanation = self.by_ssh_rules(asked);
        let SshExplanation::Allowed(chain) = explanation else {
            return explanation;
        };
        let port = self.shut(flows).map(Bar::Port);
        let check = (chain.check && !ACTS_ON_CHECKS).then_some(Bar::Check);
        let bars: Vec<Bar> = port.into_iter().chain(check).collect();
        if bars.is_empty() {
            SshExplanation::Allowed(chain)
        } else {
            SshExplanation::Barred { chain, bars }
        }
    }

    /// Why no flow gets through, by the one that comes nearest; `None`: one does.
    fn shut(&self, flows: &[Flow<'_>]) -> Option<Denial> {
        let told = flows.iter().map(|flow| self.explain(flow));
        let told: Vec<Explanation> = told.collect();
        if told.iter().any(|told| told.denied.is_none()) {
            return None;
        }
        let nearest = told.into_iter().min_by_key(Explanation::lacks);
        Some(nearest.and_then(|told| told.denied).unwrap_or(Denial {
            ports: PORTS.to_vec(),
            cause: Cause::DifferentFamily,
            nearest: Vec::new(),
        }))
    }

    /// The answer of `ssh` alone. Rules with `check` are tried first.
    fn by_ssh_rules(&self, asked: &SignIn<'_>) -> SshExplanation {
        let is_check = |rule: &&SshRule| matches!(rule.action, SshAction::Check(_));
        let rules = || self.document.ssh.iter();
        let mut misses = Vec::new();
        for rule in rules()
            .filter(is_check)
            .chain(rules().filter(|r| !is_check(r)))
        {
            match self.ssh_rule(rule, asked) {
                Ok(chain) => return SshExplanation::Allowed(Box::new(chain)),
                Err(missing) => misses.push(SshNear {
                    rule: at(rule),
                    unmet: self.unmet(rule, asked.from),
                    missing,
                }),
            }
        }
        misses.sort_by_key(|near| near.missing.iter().map(|m| weight(*m)).sum::<u8>());
        let best = misses.first().and_then(|near| near.missing.first());
        let cause = best.copied().unwrap_or(SshMissing::Rules);
        misses.retain(|near| near.missing.first() != Some(&SshMissing::Source));
        misses.truncate(NEAREST);
        SshExplanation::Denied {
            cause,
            nearest: misses,
        }
    }

    fn ssh_rule(&self, rule: &SshRule, asked: &SignIn<'_>) -> Result<SshChain, Vec<SshMissing>> {
        let source = self.named(&rule.sources, asked.from);
        let target = self.ssh_target(rule, asked);
        let login = self.login(rule, asked);
        let mut missing = Vec::new();
        if source.is_none() {
            missing.push(SshMissing::Source);
        }
        if target.is_none() {
            let to_own = rule.destinations.iter().any(is_self) && asked.to.owner().is_some();
            missing.push(if to_own {
                SshMissing::SameUser
            } else {
                SshMissing::Destination
            });
        }
        if login.is_none() {
            missing.push(SshMissing::Login);
        }
        if !self.unmet(rule, asked.from).is_empty() {
            missing.push(SshMissing::Posture);
        }
        let records = |node| self.named(&rule.recorders, node).is_some();
        if rule.enforce_recorder && !asked.nodes.iter().any(records) {
            missing.push(SshMissing::Recorder);
        }
        match (source, target, login) {
            (Some(source), Some(target), Some(login)) if missing.is_empty() => Ok(SshChain {
                source,
                rule: at(rule),
                target,
                login: login.span,
                check: matches!(rule.action, SshAction::Check(_)),
                posture: self.met(rule, asked.from),
            }),
            _ => Err(missing),
        }
    }

    /// The posture of the rule that the device meets, if it asks for one.
    fn met(&self, rule: &SshRule, from: &NodeFacts) -> Option<(String, Span)> {
        let requirement = rules::requirement(self.document, &rule.postures)?;
        let met = requirement.met(&from.posture)?;
        Some((met.text.clone(), met.span))
    }

    /// What the device lacks of the rule's postures.
    fn unmet(&self, rule: &SshRule, from: &NodeFacts) -> Vec<Unmet> {
        let requirement = rules::requirement(self.document, &rule.postures);
        requirement.map_or_else(Vec::new, |r| r.unmet(&from.posture))
    }

    /// The first of the selectors that holds the device.
    fn named(&self, selectors: &[Selector], node: &NodeFacts) -> Option<Link> {
        let address = *node.addresses.first()?;
        let party: Party<'_> = self.names.party(End { node, address });
        let mut held = selectors.iter();
        let selector = held.find(|s| self.names.holds_device(&s.kind, &party))?;
        Some(Link {
            selector: selector.kind.to_string(),
            span: selector.span,
            because: self.names.because(&selector.kind, &party),
        })
    }

    fn ssh_target(&self, rule: &SshRule, asked: &SignIn<'_>) -> Option<Link> {
        let (from, to) = (asked.from, asked.to);
        let same_user = from.owner().is_some() && from.owner() == to.owner();
        let own = |span: Span, selector: String| Link {
            selector,
            span,
            because: Because::SameUser { email: None },
        };
        let to_self = rule.destinations.iter().find(|s| is_self(s));
        if let Some(selector) = to_self.filter(|_| same_user) {
            return Some(own(selector.span, selector.kind.to_string()));
        }
        if let Some(link) = self.named(&rule.destinations, to) {
            return Some(link);
        }
        // With `localpart:`, a source may also sign in to where it is.
        let personal = rule.logins.iter().find(|l| local_domain(l).is_some())?;
        let has_targets = rule.destinations.iter().any(|s| !is_self(s));
        let same_place = match to.owner() {
            Some(_) => same_user,
            None => from.addresses == to.addresses,
        };
        let itself = has_targets && same_place && self.named(&rule.sources, to).is_some();
        itself.then(|| own(personal.span, "localpart:".to_owned()))
    }

    /// The entry of `users` that gives the login name.
    fn login<'r>(&self, rule: &'r SshRule, asked: &SignIn<'_>) -> Option<&'r Login> {
        let name = asked.login;
        let user = asked.from.owner();
        let email = self.directory.users.iter().rfind(|u| Some(u.id) == user);
        let own = email.and_then(|u| u.email.rsplit_once('@'));
        let mut logins = rule.logins.iter().filter(|_| !name.is_empty());
        logins.find(|login| match &login.kind {
            LoginKind::Root => name == "root",
            LoginKind::Nonroot => name != "root",
            LoginKind::Named(named) => named == name || (named == "*" && name != "root"),
            LoginKind::LocalPart(domain) => own.is_some_and(|(local, of)| {
                local == name && of.eq_ignore_ascii_case(domain) && self.directory.has_domain(of)
            }),
        })
    }
}

fn at(rule: &SshRule) -> RuleAt {
    RuleAt {
        section: Part::Ssh,
        index: rule.index,
        span: rule.span,
    }
}

fn local_domain(login: &Login) -> Option<&str> {
    match &login.kind {
        LoginKind::LocalPart(domain) => Some(domain),
        LoginKind::Root | LoginKind::Nonroot | LoginKind::Named(_) => None,
    }
}

const fn weight(missing: SshMissing) -> u8 {
    match missing {
        SshMissing::Rules
        | SshMissing::Source
        | SshMissing::SourceOutside
        | SshMissing::DestinationOutside => 8,
        SshMissing::Destination => 4,
        SshMissing::SameUser => 3,
        SshMissing::Login | SshMissing::Recorder => 2,
        SshMissing::Posture => 1,
    }
}
