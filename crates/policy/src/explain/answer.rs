//! What an explanation says.

use serde::{Deserialize, Serialize};
use wire::net::{PortRange, Prefix};

use super::{Because, ports};
use crate::{diagnostic::Span, posture::Unmet};

/// The section that a rule stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The document has no rules section: everything is allowed.
    Open,
    /// `acls`
    Acls,
    /// `grants`
    Grants,
    /// `ssh`
    Ssh,
}

/// A rule of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleAt {
    /// The section.
    pub section: Part,
    /// Its place there, from 0.
    pub index: usize,
    /// Where it stands.
    pub span: Span,
}

impl std::fmt::Display for RuleAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let section = match self.section {
            Part::Open => return f.write_str("a document without rules, which allows everything"),
            Part::Acls => "acls",
            Part::Grants => "grants",
            Part::Ssh => "ssh",
        };
        write!(f, "rule {} of `{section}`", self.index + 1)
    }
}

/// A selector of a rule, and why it holds one end of the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// As the document writes it.
    pub selector: String,
    /// Where the rule names it.
    pub span: Span,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

/// What lets a flow through: from whom, by which rule, to where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Why the source is one of the rule's.
    pub source: Link,
    /// The rule.
    pub rule: RuleAt,
    /// Why the destination is one of the rule's.
    pub target: Link,
    /// The route that leads to the destination, if it lies behind a router.
    pub route: Option<Prefix>,
    /// The tag of the router that the rule asks for, and where.
    pub via: Option<(String, Span)>,
    /// The posture of the rule that the source device meets, and where it is defined.
    #[serde(default)]
    pub posture: Option<(String, Span)>,
    /// True when the rule is for other protocols, and a ping passes by it all the same: machines
    /// answer whoever may reach any port of theirs.
    #[serde(default)]
    pub is_echo: bool,
    /// The ports of the question that it lets through and no earlier rule does;
    /// all of them for protocols without ports.
    #[serde(with = "super::ports::text")]
    pub ports: Vec<PortRange>,
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { source, target, .. } = self;
        write!(
            f,
            "{}: `{}` because {}",
            self.rule, source.selector, source.because
        )?;
        write!(f, "; to `{}` because {}", target.selector, target.because)?;
        if let Some(route) = self.route {
            write!(f, "; by the route {route}")?;
        }
        if let Some((tag, _)) = &self.via {
            write!(f, "; via `{tag}`")?;
        }
        if let Some((posture, _)) = &self.posture {
            write!(f, "; meeting `{posture}`")?;
        }
        if self.is_echo {
            f.write_str("; as a ping")?;
        }
        write!(f, "; ports {}", ports::written(&self.ports))
    }
}

/// The answer to a question about a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of it is let through.
    Allowed,
    /// Some of its ports are let through.
    Partly,
    /// None of it is let through.
    Denied,
}

/// A question's answer and the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The answer.
    pub verdict: Verdict,
    /// What lets it through, in the order in which rules are tried.
    pub allowed: Vec<Chain>,
    /// Why the rest is not let through.
    pub denied: Option<Denial>,
}

/// Why a flow is not let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The ports of the question that are not let through.
    #[serde(with = "super::ports::text")]
    pub ports: Vec<PortRange>,
    /// The cause.
    pub cause: Cause,
    /// Up to three rules that come nearest, the nearest first.
    pub nearest: Vec<Near>,
}

/// Why a flow is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The source address is not the source device's, nor behind it.
    NoSuchSource,
    /// The destination address is not the destination device's, nor behind it.
    NoSuchDestination,
    /// A rule would let it through, and nobody approved the route to the destination that the
    /// device offers.
    RouteNotApproved,
    /// One address is IPv4 and the other IPv6.
    DifferentFamily,
    /// `disable-ipv4` took one of the addresses away.
    AddressDisabled,
    /// The document has no rules.
    EmptyPolicy,
    /// No rule has the source among its sources.
    SourceInNoRule,
    /// Rules have the source, none of them the destination.
    DestinationInNoRuleOfSource,
    /// The rules of the source lead to the own devices of its user, and this is another's.
    SelfMismatch,
    /// The rule asks for another router.
    Via,
    /// The source device does not meet the rule's postures.
    Posture,
    /// The rule names no posture, and the source device does not meet the document's default ones.
    DefaultPosture,
    /// The rule gives capabilities and lets no traffic through.
    NoTraffic,
    /// The rule is for other protocols.
    Protocol,
    /// The rule is for other ports.
    Port,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSuchSource => "the source address does not belong to the source device",
            Self::NoSuchDestination => "the address does not belong to the destination device",
            Self::RouteNotApproved => "the device's route to the destination is not approved",
            Self::DifferentFamily => "one address is IPv4 and the other IPv6",
            Self::AddressDisabled => "`disable-ipv4` took the IPv4 address away",
            Self::EmptyPolicy => "the policy has no rules",
            Self::SourceInNoRule => "no rule has the source",
            Self::DestinationInNoRuleOfSource => "no rule of the source has the destination",
            Self::SelfMismatch => "`autogroup:self` leads to the user's own devices alone",
            Self::Via => "the rule asks for another router",
            Self::Posture => "the source device does not meet the rule's postures",
            Self::DefaultPosture => {
                "the rule names no posture, and the source device does not meet the default \
                 (`defaultSrcPosture`)"
            }
            Self::NoTraffic => "the rule gives capabilities and lets no traffic through",
            Self::Protocol => "the rule is for other protocols",
            Self::Port => "the rule is for other ports",
        })
    }
}

/// A rule that does not let the flow through, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// The rule.
    pub rule: RuleAt,
    /// What is missing, the most important first.
    pub missing: Vec<Missing>,
    /// Where a posture is missing: of each posture of the rule, what does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
}

impl Near {
    /// What is missing in words, with what the device has where a posture is.
    pub fn words(&self) -> Vec<String> {
        let missing = self.missing.iter();
        let words = missing.map(|m| with_unmet(m, m.is_posture(), &self.unmet));
        words.collect()
    }
}

/// What is missing; `is_posture`: with the conditions that do not hold.
pub(super) fn with_unmet(
    missing: &impl std::fmt::Display,
    is_posture: bool,
    unmet: &[Unmet],
) -> String {
    if !is_posture || unmet.is_empty() {
        return missing.to_string();
    }
    let unmet: Vec<String> = unmet.iter().map(ToString::to_string).collect();
    format!("{missing}: {}", unmet.join("; "))
}

/// What a rule would need to let a flow through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The source is not among its sources.
    Source,
    /// The destination is not among its destinations.
    Destination,
    /// It leads to the user's own devices.
    SameUser,
    /// It goes through routers with other tags.
    Via,
    /// The source device does not meet its postures.
    Posture,
    /// It names no posture, and the source device does not meet the default ones.
    DefaultPosture,
    /// It lets no traffic through.
    Traffic,
    /// It is for other protocols.
    Protocol,
    /// It is for other ports.
    Port,
    /// It would let the flow through, and the route to the destination is not approved.
    Approval,
}

impl Missing {
    /// How far it is from being met.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Self::Source | Self::Destination => 4,
            Self::SameUser => 3,
            Self::Via | Self::Traffic | Self::Protocol => 2,
            Self::Posture | Self::DefaultPosture | Self::Port | Self::Approval => 1,
        }
    }

    /// True when a posture is not met.
    pub(super) const fn is_posture(self) -> bool {
        matches!(self, Self::Posture | Self::DefaultPosture)
    }

    /// The cause when this is what stands in the way.
    pub(super) const fn cause(self) -> Cause {
        match self {
            Self::Source => Cause::SourceInNoRule,
            Self::Destination => Cause::DestinationInNoRuleOfSource,
            Self::SameUser => Cause::SelfMismatch,
            Self::Via => Cause::Via,
            Self::Posture => Cause::Posture,
            Self::DefaultPosture => Cause::DefaultPosture,
            Self::Traffic => Cause::NoTraffic,
            Self::Protocol => Cause::Protocol,
            Self::Port => Cause::Port,
            Self::Approval => Cause::RouteNotApproved,
        }
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source => f.write_str("the source is not in `src`"),
            Self::Destination => f.write_str("the destination is not in `dst`"),
            Self::SameUser
            | Self::Via
            | Self::Posture
            | Self::DefaultPosture
            | Self::Traffic
            | Self::Protocol
            | Self::Port
            | Self::Approval => self.cause().fmt(f),
        }
    }
}
