//! `hosts`: names for addresses and prefixes.

use wire::net::Prefix;

use super::{Keyword, Support, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, HostAlias},
    selector, shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "hosts",
    summary: "Names for addresses and prefixes.",
    example: r#"{ "printer": "192.168.7.20", "office": "192.168.0.0/16" }"#,
    form: forms::HOSTS,
    support: Support::Read(read),
};

/// The most host names.
const MAX_HOSTS: usize = 10_000;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`hosts`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_HOSTS, "hosts", value.span, sink) {
        return;
    }
    for member in members {
        let name = &member.key;
        let Some(address) = shape::text(&member.value, &format!("the host `{}`", name.text), sink)
        else {
            continue;
        };
        if !is_name(&name.text) {
            sink.error(
                Code::InvalidName,
                name.span,
                format!("`{}` cannot name a host", name.text),
            )
            .help("use letters, digits, hyphens and dots; addresses stand on the other side");
            continue;
        }
        if let Some(prefix) = selector::prefix(&address, sink) {
            document.hosts.push(HostAlias {
                name: name.clone(),
                prefix,
                span: address.span,
            });
        } else {
            sink.error(
                Code::WrongType,
                address.span,
                format!("`{}` is neither an address nor a prefix", address.text),
            )
            .help("write it as `192.168.7.20` or `192.168.0.0/16`");
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && Prefix::parse_any(text).is_err()
}
