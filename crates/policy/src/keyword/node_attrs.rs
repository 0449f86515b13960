//! `nodeAttrs`: attributes that nodes are given.

use wire::net::{MESH_IPV4, Prefix, RESERVED_IPV4};

use super::{
    Keyword, Support,
    fields::{self, Fields},
    form::Names,
    forms,
    rule::MAX_RULES,
};
use crate::{
    diagnostic::{Code, Sink},
    document::{App, Document, NodeAttr},
    selector::{self, Selector},
    shape,
    source::{Text, Value},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "nodeAttrs",
    summary: "Attributes that nodes are given.",
    example: r#"[{ "target": ["autogroup:member"], "attr": ["drive:share"] }]"#,
    form: forms::NODE_ATTRS,
    support: Support::Read(read),
};

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(items) = shape::items(value, "`nodeAttrs`", sink) else {
        return;
    };
    if !shape::within(items.len(), MAX_RULES, "entries", value.span, sink) {
        return;
    }
    let all = items.iter().enumerate();
    document.node_attrs = all.filter_map(|(i, item)| entry(i, item, sink)).collect();
}

fn entry(index: usize, value: &Value, sink: &mut Sink) -> Option<NodeAttr> {
    let fields = fields::read(value, "an entry of `nodeAttrs`", forms::NODE_ATTRS, sink)?;
    let targets = match fields.get("target") {
        Some(v) => shape::texts(v, "`target`", sink)?
            .iter()
            .filter_map(|t| target(t, sink))
            .collect(),
        None => Vec::new(),
    };
    let attributes = match fields.get("attr") {
        Some(v) => shape::texts(v, "`attr`", sink)?,
        None => Vec::new(),
    };
    for attribute in &attributes {
        warn_of_service(attribute, sink);
    }
    let app = match fields.get("app") {
        Some(v) => app(v, sink)?,
        None => Vec::new(),
    };
    let pools = pools(&fields, sink)?;
    fields.sound.then_some(NodeAttr {
        index,
        span: value.span,
        targets,
        attributes,
        app,
        pools,
    })
}

fn target(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let selector = selector::read(text, sink)?;
    let ok = Names::hold(forms::options::TARGET, &selector.kind);
    if !ok {
        sink.error(
            Code::InvalidSelector,
            selector.span,
            format!("`{}` cannot be given attributes", selector.kind),
        )
        .help("name users, groups, tags, hosts, `autogroup:member`, `autogroup:tagged` or `*`");
    }
    ok.then_some(selector)
}

/// Attributes that mean something only beside a service that this server does not have.
fn warn_of_service(attribute: &Text, sink: &mut Sink) {
    let missing = match attribute.text.as_str() {
        "funnel" => "nothing brings the public Internet to the nodes",
        "mullvad" => "it has no exit nodes of Mullvad",
        name if name.starts_with("nextdns:") => "it does not give out resolvers of NextDNS",
        _ => return,
    };
    sink.warning(
        Code::NotActedOn,
        attribute.span,
        format!(
            "`{}` is sent to the nodes, but this server does not act on it yet: {missing}",
            attribute.text
        ),
    );
}

/// Attributes with values.
fn app(value: &Value, sink: &mut Sink) -> Option<Vec<App>> {
    let mut all = Vec::new();
    for member in shape::members(value, "`app`", sink)? {
        let what = format!("`{}`", member.key.text);
        let values = shape::items(&member.value, &what, sink)?;
        all.push(App {
            name: member.key.clone(),
            values: values.iter().map(shape::json).collect(),
        });
    }
    Some(all)
}

fn pools(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<Prefix>> {
    let Some(member) = fields.member("ipPool") else {
        return Some(Vec::new());
    };
    let texts = shape::texts(&member.value, "`ipPool`", sink)?;
    let pools: Vec<Prefix> = texts.iter().filter_map(|t| pool(t, sink)).collect();
    if !pools.is_empty() {
        sink.warning(
            Code::NotActedOn,
            member.key.span,
            "`ipPool` is kept in the document, but this server gives addresses without regard to it yet",
        );
    }
    Some(pools)
}

fn pool(text: &Text, sink: &mut Sink) -> Option<Prefix> {
    let Some(prefix) = selector::prefix(text, sink) else {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("IPPool({}): not a network", text.text),
        )
        .help("write a prefix of 100.64.0.0/10");
        return None;
    };
    if RESERVED_IPV4.iter().any(|r| r.overlaps(&prefix)) && !prefix.covers(&MESH_IPV4) {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("IPPool({}): network within reserved range", text.text),
        );
        return None;
    }
    if !MESH_IPV4.covers(&prefix) {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("IPPool({}): network outside of 100.64.0.0/10", text.text),
        );
        return None;
    }
    Some(prefix)
}
