//! `grants`: rules for traffic and for capabilities of applications.

mod app;
mod ip;

use wire::name::Tag;

use super::{
    Keyword, Support,
    fields::{self, Fields},
    forms, rule,
};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, Grant},
    selector::{self, Selector, SelectorKind, autogroup::Autogroup},
    shape,
    source::{Text, Value},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "grants",
    summary: "Rules that allow traffic and give capabilities of applications.",
    example: r#"[{ "src": ["ada@example.com"], "dst": ["10.0.0.0/8"], "ip": ["tcp:22,80"] }]"#,
    form: forms::GRANTS,
    support: Support::Read(read),
};

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    document.grants = rule::rules(value, "`grants`", sink, grant);
}

/// One grant; left out as a whole when a part that narrows it cannot be read.
fn grant(index: usize, value: &Value, sink: &mut Sink) -> Option<Grant> {
    let fields = fields::read(value, "a grant", forms::GRANTS, sink)?;
    let sources = rule::sources(&fields, sink)?;
    let destinations = destinations(&fields, sink)?;
    let ip = match fields.get("ip") {
        Some(v) => ip::read(v, sink)?,
        None => Vec::new(),
    };
    let app = match fields.get("app") {
        Some(v) => app::read(v, sink)?,
        None => Vec::new(),
    };
    let via = match fields.get("via") {
        Some(v) => via(v, sink)?,
        None => Vec::new(),
    };
    let postures = rule::postures(&fields, sink)?;
    if ip.is_empty() && app.is_empty() {
        sink.error(
            Code::MissingKey,
            value.span,
            "ip and app can not both be empty",
        )
        .help("write `\"ip\": [\"*\"]` to allow all traffic");
        return None;
    }
    if !app.is_empty() && !app_fits(&destinations, sink) {
        return None;
    }
    fields.sound.then_some(Grant {
        index,
        span: value.span,
        sources,
        destinations,
        ip,
        app,
        via,
        postures,
    })
}

fn destinations(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<Selector>> {
    let Some(value) = fields.get("dst") else {
        return Some(Vec::new());
    };
    let texts = shape::texts(value, "`dst`", sink)?;
    Some(texts.iter().filter_map(|t| destination(t, sink)).collect())
}

fn destination(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let selector = selector::read(text, sink)?;
    if matches!(&selector.kind, SelectorKind::Prefix(p) if p.is_default_route()) {
        sink.error(
            Code::InvalidSelector,
            selector.span,
            format!(
                "dst \"{}\": to allow all IP addresses, use \"*\" or \"autogroup:internet\"",
                text.text
            ),
        );
        return None;
    }
    rule::may_be_target(&selector, sink).then_some(selector)
}

/// True when no capability goes where none may: to the Internet, and to devices by
/// the role of their users.
fn app_fits(destinations: &[Selector], sink: &mut Sink) -> bool {
    let refused = destinations.iter().find(|d| {
        let SelectorKind::Autogroup(group) = d.kind else {
            return false;
        };
        group == Autogroup::Internet || (group.is_of_people() && group != Autogroup::Member)
    });
    if let Some(target) = refused {
        sink.error(
            Code::InvalidSelector,
            target.span,
            format!("cannot use app grants with {}", target.kind),
        )
        .help("name users, groups, tags or addresses");
    }
    refused.is_none()
}

fn via(value: &Value, sink: &mut Sink) -> Option<Vec<Text>> {
    let tags = shape::texts(value, "`via`", sink)?;
    if let Some(bad) = tags.iter().find(|t| t.text.parse::<Tag>().is_err()) {
        sink.error(Code::InvalidSelector, bad.span, "via can only be a tag")
            .help("name the tag of the routers or exit nodes");
        return None;
    }
    Some(tags)
}
