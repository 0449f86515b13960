//! `acls`: rules that allow traffic.

use super::{
    Keyword, Support,
    fields::{self, Fields},
    forms, rule,
};
use crate::{
    diagnostic::{Code, Sink},
    document::{Acl, Document},
    protocol, shape,
    source::{Text, Value},
    target::{self, Target},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "acls",
    summary: "Rules that allow traffic; what no rule allows is denied.",
    example: r#"[{ "action": "accept", "src": ["ada@example.com"], "dst": ["10.0.0.0/8:22,80"] }]"#,
    form: forms::ACLS,
    support: Support::Read(read),
};

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    document.acls = rule::rules(value, "`acls`", sink, acl);
}

/// One rule; left out as a whole when a part that narrows it cannot be read.
fn acl(index: usize, value: &Value, sink: &mut Sink) -> Option<Acl> {
    let fields = fields::read_with_notes(value, "a rule", forms::ACLS, sink)?;
    let action = action(&fields, value, sink);
    let protocol = match fields.get("proto") {
        Some(v) => match shape::text(v, "`proto`", sink)? {
            text if text.text.is_empty() => None,
            text => Some(protocol::read(&text, sink)?),
        },
        None => None,
    };
    let sources = rule::sources(&fields, sink)?;
    let destinations = match fields.get("dst") {
        Some(v) => shape::texts(v, "`dst`", sink)?
            .iter()
            .filter_map(|text| {
                let target = target::read(text, sink)?;
                let fits = rule::may_be_target(&target.selector, sink)
                    && ports_fit(protocol.as_ref(), &target, sink);
                fits.then_some(target)
            })
            .collect(),
        None => Vec::new(),
    };
    let postures = rule::postures(&fields, sink)?;
    (fields.sound && action).then_some(Acl {
        index,
        span: value.span,
        protocol,
        sources,
        destinations,
        postures,
    })
}

fn action(fields: &Fields<'_>, rule: &Value, sink: &mut Sink) -> bool {
    let text = match fields.get("action") {
        Some(value) => shape::text(value, "`action`", sink),
        None => Some(Text {
            span: rule.span,
            text: String::new(),
        }),
    };
    let Some(text) = text else {
        return false;
    };
    if text.text == "accept" {
        return true;
    }
    let code = if text.text.is_empty() {
        Code::MissingKey
    } else {
        Code::InvalidAction
    };
    sink.error(
        code,
        text.span,
        format!("action=\"{}\" is not supported", text.text),
    )
    .help("the only action is `accept`; what no rule accepts is denied");
    false
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
            format!(
                "protocol does not support specific ports: \"{}\", only \"*\" is allowed",
                protocol.text
            ),
        )
        .help("write `*` for the ports");
    }
    any
}
