//! Who or where: users, groups, tags, hosts, prefixes, `*` and the built-in groups.

pub mod autogroup;

use wire::{
    name::{Email, Tag},
    net::Prefix,
};

use crate::{
    diagnostic::{Code, Sink, Span},
    source::Text,
};
use autogroup::Autogroup;

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
    /// `group:NAME`
    Group(String),
    /// `tag:NAME`
    Tag(String),
    /// A name of `hosts`.
    Host(String),
    /// An address or prefix, host bits cleared.
    Prefix(Prefix),
    /// A built-in group.
    Autogroup(Autogroup),
}

impl std::fmt::Display for SelectorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::User(s) | Self::Group(s) | Self::Tag(s) | Self::Host(s) => f.write_str(s),
            Self::Prefix(p) if p.is_host() => p.addr.fmt(f),
            Self::Prefix(p) => p.fmt(f),
            Self::Autogroup(a) => f.write_str(a.as_str()),
        }
    }
}

/// Selectors of the language that nothing acts on yet, by prefix.
const PLANNED: [(&str, &str); 4] = [
    ("svc:", "services"),
    ("ipset:", "sets of addresses"),
    ("user:", "all users of a domain"),
    ("posture:", "postures"),
];

/// Reads a selector; `None` after a diagnosis.
pub(crate) fn read(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let span = text.span;
    let kind = match text.text.as_str() {
        "*" => SelectorKind::Any,
        t if t.starts_with("autogroup:") => {
            SelectorKind::Autogroup(autogroup::read(t, span, sink)?)
        }
        t if t.starts_with("group:") => SelectorKind::Group(t.to_owned()),
        t if t.starts_with("tag:") => match t.parse::<Tag>() {
            Ok(_) => SelectorKind::Tag(t.to_owned()),
            Err(why) => {
                sink.error(Code::InvalidSelector, span, why.to_string());
                return None;
            }
        },
        t => other(t, text, sink)?,
    };
    Some(Selector { span, kind })
}

fn other(t: &str, text: &Text, sink: &mut Sink) -> Option<SelectorKind> {
    if let Some((_, what)) = PLANNED.iter().find(|(prefix, _)| t.starts_with(prefix)) {
        sink.error(
            Code::UnsupportedSelector,
            text.span,
            format!(
                "`{t}`: {what} are part of the language, but this server does not act on them yet"
            ),
        );
        return None;
    }
    if t.contains('@') {
        return match t.parse::<Email>() {
            Ok(email) => Some(SelectorKind::User(email.as_str().to_owned())),
            Err(why) => {
                sink.error(Code::InvalidSelector, text.span, why.to_string());
                None
            }
        };
    }
    if let Some(prefix) = prefix(text, sink) {
        return Some(SelectorKind::Prefix(prefix));
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
