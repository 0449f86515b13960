//! `tagOwners`: which tags exist and who may give them to nodes.

use super::{Keyword, Support, form::Names, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, TagOwner},
    selector::{self, Selector},
    shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "tagOwners",
    summary: "Which tags exist and who may give them to nodes; an empty list: administrators only.",
    example: r#"{ "tag:server": ["group:ops", "autogroup:admin"] }"#,
    form: forms::TAG_OWNERS,
    support: Support::Read(read),
};

/// The most tags.
const MAX_TAGS: usize = 10_000;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`tagOwners`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_TAGS, "tags", value.span, sink) {
        return;
    }
    for member in members {
        let tag = &member.key;
        if let Some(why) = selector::tag::refusal(&tag.text) {
            sink.error(Code::InvalidName, tag.span, why);
            continue;
        }
        let what = format!("the owners of `{}`", tag.text);
        let Some(entries) = shape::texts(&member.value, &what, sink) else {
            continue;
        };
        document.tag_owners.push(TagOwner {
            tag: tag.clone(),
            owners: entries
                .iter()
                .filter_map(|entry| selector::read(entry, sink).filter(|o| may_own(o, sink)))
                .collect(),
        });
    }
}

fn may_own(owner: &Selector, sink: &mut Sink) -> bool {
    let ok = Names::hold(forms::words::OWNER, &owner.kind);
    if !ok {
        sink.error(
            Code::InvalidSelector,
            owner.span,
            format!("`{}` cannot own a tag", owner.kind),
        )
        .help("owners are users, groups, tags and groups of people such as `autogroup:admin`");
    }
    ok
}
