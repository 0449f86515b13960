//! The rules of a document.

use wire::net::PortRange;

use crate::{
    diagnostic::Span, protocol::Protocol, selector::Selector, source::Text, target::Target,
};

/// One rule of `acls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// Its place in the array, from 0, refused rules counted.
    pub index: usize,
    /// Where the rule stands.
    pub span: Span,
    /// The protocol; `None`: TCP, UDP, ICMP and `ICMPv6`.
    pub protocol: Option<Protocol>,
    /// Who.
    pub sources: Vec<Selector>,
    /// To what.
    pub destinations: Vec<Target>,
    /// Postures of which a source must meet one; empty: the document's default.
    pub postures: Vec<Text>,
}

/// One rule of `grants`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its place in the array, from 0, refused rules counted.
    pub index: usize,
    /// Where the rule stands.
    pub span: Span,
    /// Who.
    pub sources: Vec<Selector>,
    /// To what.
    pub destinations: Vec<Selector>,
    /// The traffic that is allowed; empty when the grant gives capabilities alone.
    pub ip: Vec<Traffic>,
    /// The capabilities that the sources have at the destinations.
    pub app: Vec<App>,
    /// Tags of the routers that the traffic must go through; empty: any.
    pub via: Vec<Text>,
    /// Postures of which a source must meet one; empty: the document's default.
    pub postures: Vec<Text>,
}

/// One entry of a grant's `ip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Where.
    pub span: Span,
    /// The protocol; `None`: TCP, UDP, ICMP and `ICMPv6`.
    pub protocol: Option<Protocol>,
    /// The ports, at least one range.
    pub ports: Vec<PortRange>,
}

/// A capability and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// `DOMAIN/PATH`
    pub name: Text,
    /// The values; the capability is given also when there are none.
    pub values: Vec<serde_json::Value>,
}
