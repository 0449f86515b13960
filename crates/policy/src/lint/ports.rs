//! Sensitive ports that a rule opens by number and no test guards.

use super::view::{self, View};
use crate::{
    diagnostic::{Code, Sink, Span},
    selector::autogroup::Autogroup,
};

/// Ports behind which much can be lost.
const SENSITIVE: [(u16, &str); 14] = [
    (22, "SSH"),
    (23, "Telnet"),
    (139, "NetBIOS"),
    (445, "SMB"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2375, "Docker"),
    (3306, "MySQL"),
    (3389, "RDP"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (6379, "Redis"),
    (9200, "Elasticsearch"),
    (27017, "MongoDB"),
];

/// Ranges wider than this name no port in particular.
const MAX_WIDTH: u16 = 100;

pub(super) fn look(view: &View<'_>, sink: &mut Sink) {
    let opened = opened(view);
    let tests = view.rules("tests");
    let tested: Vec<u16> = tests
        .iter()
        .flat_map(|t| t.texts("accept").chain(t.texts("deny")))
        .filter_map(|(text, _)| view::target(text).1.parse().ok())
        .collect();
    for (port, what) in SENSITIVE {
        let opens = |(ports, _): &&(&str, Span)| names(ports, port);
        let Some((_, span)) = opened.iter().find(opens) else {
            continue;
        };
        if !tested.contains(&port) {
            sink.warning(
                Code::UntestedPort,
                *span,
                format!(
                    "port {port} ({what}) is opened here, and no test says who must not reach it"
                ),
            )
            .help(format!(
                "add to `tests`: {{ \"src\": \"somebody\", \"deny\": [\"something:{port}\"] }}"
            ));
        }
    }
}

/// The ports that rules open, as written, and where.
fn opened<'v>(view: &View<'v>) -> Vec<(&'v str, Span)> {
    // One's own devices are nobody else's to reach.
    let is_own = |(text, _): &(&str, Span)| {
        let own = Autogroup::SelfDevices.as_str();
        *text == own || view::target(text).0 == own
    };
    let acls = view.rules("acls");
    let acls = acls.iter().flat_map(|r| r.texts("dst"));
    let acls = acls.filter(|target| !is_own(target));
    let grants = view.rules("grants");
    let grants = grants
        .iter()
        .filter(|r| !r.texts("dst").all(|t| is_own(&t)));
    let grants = grants.flat_map(|r| r.texts("ip"));
    acls.chain(grants)
        .map(|(text, span)| (view::target(&format_target(text)).1.len(), text, span))
        .map(|(length, text, span)| (text.get(text.len() - length..).unwrap_or(text), span))
        .collect()
}

/// A grant's `443` has no colon: its ports are the whole text.
fn format_target(text: &str) -> String {
    if text.contains(':') {
        text.to_owned()
    } else {
        format!(":{text}")
    }
}

fn names(ports: &str, port: u16) -> bool {
    let ranges = view::ports(ports).unwrap_or_default();
    ranges
        .iter()
        .any(|r| r.contains(port) && r.last - r.first < MAX_WIDTH)
}
