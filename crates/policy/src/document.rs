//! The parsed document: what each keyword said, with spans.

pub mod assertion;
mod parts;
mod rules;
pub mod ssh;

use crate::{
    check,
    diagnostic::{Code, Diagnostic, Sink},
    keyword::{self, Support},
    shape,
    source::{self, Member, Text, Value},
};

pub use parts::{
    AutoApprovers, Change, Group, HostAlias, IpSet, IpSetEntry, Kept, NodeAttr, Options, Posture,
    RouteApprovers, ServiceApprovers, TagOwner,
};
pub use rules::{Acl, App, Grant, Traffic};

/// A parsed document. Entries that could not be read are left out, so what is
/// here never allows more than the text does; [`parse`]'s diagnostics tell
/// whether it may be saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// `groups`
    pub groups: Vec<Group>,
    /// `hosts`
    pub hosts: Vec<HostAlias>,
    /// `ipsets`
    pub ipsets: Vec<IpSet>,
    /// `tagOwners`
    pub tag_owners: Vec<TagOwner>,
    /// `autoApprovers`
    pub auto_approvers: AutoApprovers,
    /// `nodeAttrs`
    pub node_attrs: Vec<NodeAttr>,
    /// `postures`
    pub postures: Vec<Posture>,
    /// `defaultSrcPosture`; `None` when the key is absent.
    pub default_postures: Option<Vec<Text>>,
    /// True when `defaultSrcPosture` could not be read: no rule allows anything.
    pub is_unreadably_narrowed: bool,
    /// `acls`; `None` when the key is absent.
    pub acls: Option<Vec<Acl>>,
    /// `ssh`
    pub ssh: Vec<ssh::SshRule>,
    /// `tests`
    pub tests: Vec<assertion::AccessTest>,
    /// `sshTests`
    pub ssh_tests: Vec<assertion::SshTest>,
    /// `grants`; `None` when the key is absent.
    pub grants: Option<Vec<Grant>>,
    /// True for a sound document that has neither `acls` nor `grants`: as at the
    /// service, all traffic in the mesh is allowed.
    pub is_open: bool,
    /// Options of the whole tenant.
    pub options: Options,
    /// Top-level members that nothing acts on, as read.
    pub unknown: Vec<Member>,
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
    check::spellings::check(&value, &mut sink);
    document.is_open = document.acls.is_none() && document.grants.is_none() && !sink.has_errors();
    if document.is_open {
        check::warn_of_open(&mut sink);
    }
    (document, sink.finish())
}

fn read_keywords(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "a policy", sink) else {
        return;
    };
    let mut seen = std::collections::BTreeSet::new();
    for member in members {
        let name = member.key.text.as_str();
        if let Some(known) = keyword::find(name)
            && !seen.insert(known.name)
        {
            sink.error(
                Code::DuplicateKey,
                member.key.span,
                format!("`{name}` says `{}` a second time", known.name),
            )
            .help("keep one of the two");
            continue;
        }
        match keyword::find(name).map(|k| k.support) {
            Some(Support::Read(read)) => read(&member.value, document, sink),
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
