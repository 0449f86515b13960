//! Who or where: users, groups, tags, hosts, prefixes, `*` and the built-in groups.

pub mod autogroup;
pub mod provider_group;
pub mod sort;
pub(crate) mod tag;

use std::net::IpAddr;

use wire::net::Prefix;

use crate::{
    diagnostic::{Code, Sink, Span},
    login,
    source::Text,
};
use autogroup::Autogroup;
use provider_group::ProviderGroup;

/// A selector and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Where.
    pub span: Span,
    /// What it selects.
    pub kind: SelectorKind,
}

/// What a selector selects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelectorKind {
    /// `*`
    Any,
    /// A user's own devices, by e-mail address, lower-cased.
    User(String),
    /// `user:*@DOMAIN`: the own devices of all users of a domain, lower-cased.
    UsersOf(String),
    /// `group:NAME` of the document.
    Group(String),
    /// `group:NAME@CONNECTION` or `group:NAME@DOMAIN`: a group of an identity provider.
    ProviderGroup(ProviderGroup),
    /// `tag:NAME`
    Tag(String),
    /// A name of `hosts`.
    Host(String),
    /// `ipset:NAME`
    IpSet(String),
    /// `svc:NAME`
    Service(String),
    /// An address or prefix, host bits cleared.
    Prefix(Prefix),
    /// `FIRST-LAST`, addresses of one family, both included.
    Range(IpAddr, IpAddr),
    /// A built-in group.
    Autogroup(Autogroup),
}

impl SelectorKind {
    /// True when it stands for users, whose own devices it selects.
    pub fn is_of_users(&self) -> bool {
        match self {
            Self::User(_) | Self::UsersOf(_) | Self::Group(_) | Self::ProviderGroup(_) => true,
            Self::Autogroup(group) => group.is_of_people(),
            Self::Any
            | Self::Tag(_)
            | Self::Host(_)
            | Self::IpSet(_)
            | Self::Service(_)
            | Self::Prefix(_)
            | Self::Range(..) => false,
        }
    }
}

impl std::fmt::Display for SelectorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::User(s)
            | Self::Group(s)
            | Self::Tag(s)
            | Self::Host(s)
            | Self::IpSet(s)
            | Self::Service(s) => f.write_str(s),
            Self::UsersOf(domain) => write!(f, "user:*@{domain}"),
            Self::ProviderGroup(group) => group.fmt(f),
            Self::Prefix(p) if p.is_host() => p.addr.fmt(f),
            Self::Prefix(p) => p.fmt(f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
            Self::Autogroup(a) => f.write_str(a.as_str()),
        }
    }
}

/// Reads a selector; `None` after a diagnosis.
pub(crate) fn read(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let span = text.span;
    let kind = match text.text.as_str() {
        "*" => SelectorKind::Any,
        t if t.starts_with("autogroup:") => {
            SelectorKind::Autogroup(autogroup::read(t, span, sink)?)
        }
        t if t.starts_with("group:") => group(t, span, sink)?,
        t if t.starts_with("tag:") => match tag::refusal(t) {
            None => SelectorKind::Tag(t.to_owned()),
            Some(why) => {
                sink.error(Code::InvalidSelector, span, why);
                return None;
            }
        },
        t if t.starts_with("user:") => SelectorKind::UsersOf(users_of(t, span, sink)?),
        t if t.starts_with("ipset:") => SelectorKind::IpSet(named(t, "ipset:", span, sink)?),
        t if t.starts_with("host:") => {
            let name = named(t, "host:", span, sink)?;
            SelectorKind::Host(name.trim_start_matches("host:").to_owned())
        }
        t if t.starts_with("svc:") => SelectorKind::Service(service(t, span, sink)?),
        t => other(t, text, sink)?,
    };
    Some(Selector { span, kind })
}

fn group(text: &str, span: Span, sink: &mut Sink) -> Option<SelectorKind> {
    let name = named(text, "group:", span, sink)?;
    Some(match ProviderGroup::read(&name) {
        Some(group) => SelectorKind::ProviderGroup(group),
        None => SelectorKind::Group(name),
    })
}

/// The whole text, if a name follows the prefix.
fn named(text: &str, prefix: &str, span: Span, sink: &mut Sink) -> Option<String> {
    let name = text.strip_prefix(prefix).unwrap_or_default();
    if name.trim().is_empty() {
        sink.error(
            Code::InvalidSelector,
            span,
            format!("there is no name after `{prefix}`"),
        );
        return None;
    }
    Some(text.to_owned())
}

/// `svc:NAME`: the name becomes a part of a domain name.
fn service(text: &str, span: Span, sink: &mut Sink) -> Option<String> {
    let service = named(text, "svc:", span, sink)?;
    let label = service.strip_prefix("svc:").unwrap_or_default();
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let fits = label.len() <= 63 && label.bytes().all(inner);
    if !fits || label.starts_with('-') || label.ends_with('-') {
        sink.error(
            Code::InvalidSelector,
            span,
            format!("\"{text}\" is not a valid service name"),
        )
        .help("after `svc:` write letters, digits and dashes, at most 63, as in `svc:wiki`");
        return None;
    }
    Some(service)
}

/// The domain of `user:*@DOMAIN`.
fn users_of(text: &str, span: Span, sink: &mut Sink) -> Option<String> {
    let domain = text.strip_prefix("user:*@").unwrap_or_default();
    if !domain.is_empty() && !domain.contains([':', '/', '@', ' ']) {
        return Some(domain.to_lowercase());
    }
    sink.error(
        Code::InvalidSelector,
        span,
        format!("`{text}` selects no users"),
    )
    .help("write `user:*@example.com` for all users of a domain of yours");
    None
}

fn other(t: &str, text: &Text, sink: &mut Sink) -> Option<SelectorKind> {
    if t.contains('@') {
        return match login::read(t) {
            Ok(name) => Some(SelectorKind::User(name)),
            Err(why) => {
                sink.error(Code::InvalidSelector, text.span, why.to_string());
                None
            }
        };
    }
    if let Some(prefix) = prefix(text, sink) {
        return Some(SelectorKind::Prefix(prefix));
    }
    if let Some((first, last)) = range(t) {
        return Some(SelectorKind::Range(first, last));
    }
    if t.is_empty() || t.contains([':', '/']) || t.contains(char::is_whitespace) {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("`{t}` selects nothing"),
        )
        .help("write a user, `group:…`, `tag:…`, `autogroup:…`, a host name, an address, a prefix or `*`");
        return None;
    }
    Some(SelectorKind::Host(t.to_owned()))
}

/// `FIRST-LAST`, of one family and in order.
pub(crate) fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last))
}

/// Reads an address or prefix; host bits are cleared with a warning.
pub(crate) fn prefix(text: &Text, sink: &mut Sink) -> Option<Prefix> {
    let read = Prefix::parse_any(&text.text).ok()?;
    let masked = read.masked();
    if masked != read {
        sink.warning(
            Code::HostBits,
            text.span,
            format!(
                "bits after the length of `{}` are set and ignored",
                text.text
            ),
        )
        .help(format!("write `{masked}`"));
    }
    Some(masked)
}
