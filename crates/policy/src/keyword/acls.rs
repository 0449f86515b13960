//! `acls`: rules that allow traffic.

use super::{Keyword, Support, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Acl, Document},
    protocol,
    selector::{self, Selector, SelectorKind, autogroup::Autogroup},
    shape,
    source::{Member, Value},
    target::{self, Target},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "acls",
    summary: "Rules that allow traffic; what no rule allows is denied.",
    example: r#"[{ "action": "accept", "src": ["ada@example.com"], "dst": ["10.0.0.0/8:22,80"] }]"#,
    form: forms::ACLS,
    support: Support::Read(read),
};

/// The most rules.
const MAX_RULES: usize = 10_000;
/// Keys of a rule that are acted on.
const KEYS: [&str; 4] = ["action", "proto", "src", "dst"];
/// Keys of a rule that the language knows and that nothing acts on yet.
const PLANNED: [&str; 3] = ["srcPosture", "users", "ports"];

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(items) = shape::items(value, "`acls`", sink) else {
        return;
    };
    let rules = document.acls.insert(Vec::new());
    if !shape::within(items.len(), MAX_RULES, "rules", value.span, sink) {
        return;
    }
    rules.extend(
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| rule(index, item, sink)),
    );
}

/// One rule; left out as a whole when a part that narrows it cannot be read.
fn rule(index: usize, value: &Value, sink: &mut Sink) -> Option<Acl> {
    let members = shape::members(value, "a rule", sink)?;
    let strange = members.iter().filter(|m| !known_key(m, sink)).count();
    let find = |name: &str| {
        members
            .iter()
            .find(|m| m.key.text == name)
            .map(|m| &m.value)
    };
    let action = action(find("action"), value, sink);
    let protocol = match find("proto") {
        Some(v) => Some(protocol::read(&shape::text(v, "`proto`", sink)?, sink)?),
        None => None,
    };
    let sources = match required("src", find("src"), value, sink) {
        Some(v) => shape::texts(v, "`src`", sink)?
            .iter()
            .filter_map(|text| selector::read(text, sink).filter(|s| may_be_source(s, sink)))
            .collect(),
        None => Vec::new(),
    };
    let destinations = match required("dst", find("dst"), value, sink) {
        Some(v) => shape::texts(v, "`dst`", sink)?
            .iter()
            .filter_map(|text| {
                target::read(text, sink).filter(|t| ports_fit(protocol.as_ref(), t, sink))
            })
            .collect(),
        None => Vec::new(),
    };
    (strange == 0 && action).then_some(Acl {
        index,
        span: value.span,
        protocol,
        sources,
        destinations,
    })
}

fn known_key(member: &Member, sink: &mut Sink) -> bool {
    let name = member.key.text.as_str();
    if KEYS.contains(&name) {
        return true;
    }
    if PLANNED.contains(&name) {
        sink.error(
            Code::UnsupportedKey,
            member.key.span,
            format!("`{name}` is part of the language, but this server does not act on it yet"),
        )
        .help(match name {
            "users" => "write `src` instead",
            "ports" => "write `dst` instead",
            _ => "take it out: the rule would allow more than it says",
        });
    } else {
        sink.error(
            Code::UnknownKey,
            member.key.span,
            format!("unknown key `{name}` in a rule"),
        )
        .did_you_mean(name, KEYS.into_iter());
    }
    false
}

fn required<'v>(
    name: &str,
    found: Option<&'v Value>,
    rule: &Value,
    sink: &mut Sink,
) -> Option<&'v Value> {
    if found.is_none() {
        sink.error(
            Code::MissingKey,
            rule.span,
            format!("the rule has no `{name}`"),
        );
    }
    found
}

fn action(found: Option<&Value>, rule: &Value, sink: &mut Sink) -> bool {
    let Some(text) =
        required("action", found, rule, sink).and_then(|v| shape::text(v, "`action`", sink))
    else {
        return false;
    };
    if text.text == "accept" {
        return true;
    }
    sink.error(
        Code::InvalidAction,
        text.span,
        format!("action=\"{}\" is not supported", text.text),
    )
    .help("the only action is `accept`; what no rule accepts is denied");
    false
}

fn may_be_source(selector: &Selector, sink: &mut Sink) -> bool {
    let ok = match &selector.kind {
        SelectorKind::Any
        | SelectorKind::User(_)
        | SelectorKind::Group(_)
        | SelectorKind::Tag(_)
        | SelectorKind::Host(_)
        | SelectorKind::Prefix(_) => true,
        SelectorKind::Autogroup(group) => {
            selector::autogroup::in_rules(*group, selector.span, sink)
                && *group != Autogroup::SelfDevices
        }
    };
    if selector.kind == SelectorKind::Autogroup(Autogroup::SelfDevices) {
        sink.error(
            Code::InvalidSelector,
            selector.span,
            "`autogroup:self` can only be a destination",
        )
        .help("write `autogroup:member` as the source");
    }
    ok
}

/// Ports mean something to TCP, UDP and SCTP only.
fn ports_fit(protocol: Option<&protocol::Protocol>, target: &Target, sink: &mut Sink) -> bool {
    let Some(protocol) = protocol.filter(|p| !p.has_ports()) else {
        return true;
    };
    let any = target.ports.iter().all(|p| *p == wire::net::PortRange::ANY);
    if !any {
        sink.error(
            Code::InvalidPorts,
            target.span,
            format!("protocol `{}` has no ports", protocol.text),
        )
        .help("write `*` for the ports");
    }
    any
}
