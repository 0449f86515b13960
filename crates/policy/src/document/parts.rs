//! What stands in a document beside its rules.

use wire::net::Prefix;

use super::App;
use crate::{
    diagnostic::Span,
    posture::Condition,
    selector::Selector,
    source::{Text, Value},
};

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `group:NAME`
    pub name: Text,
    /// E-mail addresses, lower-cased.
    pub members: Vec<Text>,
}

/// A name for an address or prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAlias {
    /// The name.
    pub name: Text,
    /// What it stands for.
    pub prefix: Prefix,
    /// Where the address stands.
    pub span: Span,
}

/// A named set of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSet {
    /// `ipset:NAME`
    pub name: Text,
    /// What makes it, in order.
    pub entries: Vec<IpSetEntry>,
}

/// One entry of an [`IpSet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSetEntry {
    /// Whether the addresses come in or go out.
    pub change: Change,
    /// A prefix, a range, a host or another set.
    pub selector: Selector,
}

/// What an [`IpSetEntry`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its addresses belong to the set.
    Add,
    /// Its addresses belong to the set no more, unless a later entry adds them.
    Remove,
}

/// Who may give a tag to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagOwner {
    /// `tag:NAME`
    pub tag: Text,
    /// Users, groups, tags and role groups; empty: administrators only.
    pub owners: Vec<Selector>,
}

/// Whose offers need no approval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoApprovers {
    /// By prefix: subnet routes inside of it.
    pub routes: Vec<RouteApprovers>,
    /// Exit nodes.
    pub exit_node: Vec<Selector>,
    /// Services; nothing acts on them yet.
    pub services: Vec<ServiceApprovers>,
}

/// Approvers of the routes inside a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteApprovers {
    /// Where the prefix stands.
    pub span: Span,
    /// The prefix.
    pub prefix: Prefix,
    /// Users, groups, groups of people and tags.
    pub approvers: Vec<Selector>,
}

/// Approvers of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceApprovers {
    /// `svc:NAME`, or `tag:NAME` for services with that tag.
    pub name: Text,
    /// Users, groups, groups of people and tags.
    pub approvers: Vec<Selector>,
}

/// One entry of `nodeAttrs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAttr {
    /// Its place in the array, from 0, refused entries counted.
    pub index: usize,
    /// Where it stands.
    pub span: Span,
    /// Who is given them.
    pub targets: Vec<Selector>,
    /// Attributes without values.
    pub attributes: Vec<Text>,
    /// Attributes with values.
    pub app: Vec<App>,
    /// Where the targets' addresses come from; nothing acts on it yet.
    pub pools: Vec<Prefix>,
}

/// Conditions on a device, all of which it must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posture {
    /// `posture:NAME`
    pub name: Text,
    /// The conditions that could be read.
    pub conditions: Vec<Condition>,
    /// False when some could not be read: then nobody meets it.
    pub is_sound: bool,
}

/// Options of the whole tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// `randomizeClientPort`: clients may listen on any UDP port.
    pub randomize_client_port: bool,
    /// `disableIPv4`: no node has an IPv4 address.
    pub disable_ipv4: bool,
    /// Options that nothing acts on yet.
    pub kept: Vec<Kept>,
}

/// An option that nothing acts on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The option.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}
