//! The parsed document: what each keyword said, with spans.

pub mod assertion;
pub mod ssh;

use wire::net::Prefix;

use crate::{
    check,
    diagnostic::{Code, Diagnostic, Sink, Span},
    keyword::{self, Support},
    protocol::Protocol,
    selector::Selector,
    shape,
    source::{self, Member, Text, Value},
    target::Target,
};

/// A parsed document. Entries that could not be read are left out, so what is
/// here never allows more than the text does; [`parse`]'s diagnostics tell
/// whether it may be saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// `groups`
    pub groups: Vec<Group>,
    /// `hosts`
    pub hosts: Vec<HostAlias>,
    /// `tagOwners`
    pub tag_owners: Vec<TagOwner>,
    /// `acls`; `None` when the key is absent (which allows nothing).
    pub acls: Option<Vec<Acl>>,
    /// `ssh`
    pub ssh: Vec<ssh::SshRule>,
    /// `tests`
    pub tests: Vec<assertion::AccessTest>,
    /// `sshTests`
    pub ssh_tests: Vec<assertion::SshTest>,
    /// Top-level members that nothing acts on, as read.
    pub unknown: Vec<Member>,
}

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

/// Who may give a tag to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagOwner {
    /// `tag:NAME`
    pub tag: Text,
    /// Users, groups, tags and role groups; empty: administrators only.
    pub owners: Vec<Selector>,
}

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
}

/// Reads and checks a document.
pub fn parse(text: &str) -> (Document, Vec<Diagnostic>) {
    let mut document = Document::default();
    let value = match source::read(text) {
        Ok(value) => value,
        Err(stop) => return (document, vec![stop]),
    };
    let mut sink = Sink::default();
    read_keywords(&value, &mut document, &mut sink);
    check::check(&document, &mut sink);
    (document, sink.finish())
}

fn read_keywords(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "a policy", sink) else {
        return;
    };
    for member in members {
        let name = member.key.text.as_str();
        match keyword::find(name).map(|k| k.support) {
            Some(Support::Read(read)) => read(&member.value, document, sink),
            Some(Support::Planned) => {
                sink.error(
                    Code::UnsupportedKey,
                    member.key.span,
                    format!(
                        "`{name}` is part of the language, but this server does not act on it yet"
                    ),
                )
                .help("take it out: nothing may be saved here that would not be enforced");
                document.unknown.push(member.clone());
            }
            None => {
                sink.error(
                    Code::UnknownKey,
                    member.key.span,
                    format!("unknown key `{name}`"),
                )
                .did_you_mean(name, keyword::KEYWORDS.iter().map(|k| k.name));
                document.unknown.push(member.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
