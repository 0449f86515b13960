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
    selector::{
        self, Selector, SelectorKind,
        autogroup::{self, Autogroup, Side},
    },
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
    let internet = SelectorKind::Autogroup(Autogroup::Internet);
    let through = destinations.iter().find(|d| d.kind == internet);
    if let Some(target) = through.filter(|_| !app.is_empty()) {
        sink.error(
            Code::InvalidSelector,
            target.span,
            "cannot use app grants with autogroup:internet",
        );
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
    match &selector.kind {
        SelectorKind::Autogroup(group) => {
            autogroup::fits(*group, Side::Target, selector.span, sink).then_some(selector)
        }
        SelectorKind::Prefix(prefix) if prefix.is_default_route() => {
            sink.error(
                Code::InvalidSelector,
                selector.span,
                format!(
                    "dst \"{}\": to allow all IP addresses, use \"*\" or \"autogroup:internet\"",
                    text.text
                ),
            );
            None
        }
        SelectorKind::Any
        | SelectorKind::User(_)
        | SelectorKind::UsersOf(_)
        | SelectorKind::Group(_)
        | SelectorKind::ProviderGroup(_)
        | SelectorKind::Tag(_)
        | SelectorKind::Host(_)
        | SelectorKind::IpSet(_)
        | SelectorKind::Service(_)
        | SelectorKind::Prefix(_)
        | SelectorKind::Range(..) => Some(selector),
    }
}

/// The tags of routers; `None` when one cannot be read, as fewer would be wider.
fn via(value: &Value, sink: &mut Sink) -> Option<Vec<Text>> {
    let tags = shape::texts(value, "`via`", sink)?;
    if let Some(bad) = tags.iter().find(|t| t.text.parse::<Tag>().is_err()) {
        sink.error(Code::InvalidSelector, bad.span, "via can only be a tag")
            .help("name the tag of the routers or exit nodes");
        return None;
    }
    Some(tags)
}
