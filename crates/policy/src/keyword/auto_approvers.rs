//! `autoApprovers`: whose routes, exit nodes and services need no approval.

use wire::net::Prefix;

use super::{Keyword, Support, fields, form::Names, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, RouteApprovers, ServiceApprovers},
    selector::{self, Selector},
    shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "autoApprovers",
    summary: "Whose routes, exit nodes and services need no approval.",
    example: r#"{ "routes": { "10.0.0.0/8": ["group:net"] }, "exitNode": ["tag:exit"] }"#,
    form: forms::AUTO_APPROVERS,
    support: Support::Read(read),
};

/// The most entries of each kind.
const MAX_ENTRIES: usize = 10_000;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(fields) = fields::read(value, "`autoApprovers`", forms::AUTO_APPROVERS, sink) else {
        return;
    };
    if let Some(routes) = fields.get("routes") {
        self::routes(routes, document, sink);
    }
    if let Some(exit) = fields.get("exitNode")
        && let Some(found) = approvers(exit, "`exitNode`", sink)
    {
        document.auto_approvers.exit_node = found;
    }
    if let Some(services) = fields.get("services") {
        self::services(services, document, sink);
    }
}

fn routes(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`routes`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_ENTRIES, "routes", value.span, sink) {
        return;
    }
    for member in members {
        let Ok(prefix) = Prefix::parse_any(&member.key.text) else {
            sink.error(
                Code::InvalidName,
                member.key.span,
                format!("`{}` is not a route", member.key.text),
            )
            .help("write a prefix, as in `10.0.0.0/8`");
            continue;
        };
        let what = format!("the approvers of `{}`", member.key.text);
        if let Some(approvers) = approvers(&member.value, &what, sink) {
            document.auto_approvers.routes.push(RouteApprovers {
                span: member.key.span,
                prefix: prefix.masked(),
                approvers,
            });
        }
    }
}

fn services(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`services`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_ENTRIES, "services", value.span, sink) {
        return;
    }
    if let Some(first) = members.first() {
        sink.warning(
            Code::NotActedOn,
            first.key.span,
            "services are kept in the document, but this server has none yet: nothing is approved",
        );
    }
    for member in members {
        let name = &member.key;
        if !name.text.starts_with("svc:") && !name.text.starts_with("tag:") {
            sink.error(
                Code::InvalidName,
                name.span,
                format!("`{}` is neither a service nor a tag", name.text),
            )
            .help("write `svc:NAME`, or `tag:NAME` for the services with that tag");
            continue;
        }
        let what = format!("the approvers of `{}`", name.text);
        if let Some(approvers) = approvers(&member.value, &what, sink) {
            document.auto_approvers.services.push(ServiceApprovers {
                name: name.clone(),
                approvers,
            });
        }
    }
}

fn approvers(value: &Value, what: &str, sink: &mut Sink) -> Option<Vec<Selector>> {
    let texts = shape::texts(value, what, sink)?;
    Some(
        texts
            .iter()
            .filter_map(|t| selector::read(t, sink).filter(|s| may_approve(s, sink)))
            .collect(),
    )
}

fn may_approve(selector: &Selector, sink: &mut Sink) -> bool {
    let ok = Names::hold(forms::words::OWNER, &selector.kind);
    if !ok {
        sink.error(
            Code::InvalidSelector,
            selector.span,
            format!("`{}` cannot approve", selector.kind),
        )
        .help("approvers are users, groups, groups of people such as `autogroup:admin`, and tags");
    }
    ok
}
