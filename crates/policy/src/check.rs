//! Checks across keywords: names that are not defined, rules that can match nothing.

mod directory;
mod names;
mod rules;
pub(crate) mod spellings;
mod ssh_tests;
mod via;

use crate::{
    diagnostic::{Code, Diagnostic, Sink, Span},
    directory::{Directory, NodeFacts},
    document::Document,
};
use names::Names;

/// Checks a document that has been read.
pub(crate) fn check(document: &Document, sink: &mut Sink) {
    let names = Names::of(document);
    names.check_parts(document, sink);
    names.check_rules(document, sink);
    names.check_ssh(document, sink);
    rules::check(document, sink);
    via::check(document, sink);
    crate::posture::check(document, sink);
    ssh_tests::check(document, sink);
    if !sink.has_errors() {
        rules::warn_of_empty(document, sink);
    }
}

/// Findings that need the tenant: domains that are not its own are errors;
/// users and groups that it does not have are warnings, as they may come and go.
pub fn against(document: &Document, directory: &Directory) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    directory::check(document, directory, &mut sink);
    sink.finish()
}

/// Warnings that need the nodes of a moment: rules with `via` whose routers lead nowhere.
pub fn against_nodes(document: &Document, nodes: &[NodeFacts]) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    via::check_routers(document, nodes, &mut sink);
    sink.finish()
}

/// Warnings that need the names of the machines of a moment: hosts that are called like a machine
/// and are something else.
pub fn against_machines<'n>(
    document: &Document,
    machines: impl IntoIterator<Item = (&'n str, &'n NodeFacts)>,
) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    for (name, facts) in machines {
        let mut hosts = document.hosts.iter();
        let Some(host) = hosts.find(|host| host.name.text.eq_ignore_ascii_case(name)) else {
            continue;
        };
        let is_own = host.prefix.is_host() && facts.addresses.contains(&host.prefix.addr);
        if is_own {
            continue;
        }
        sink.warning(
            Code::HostLikeMachine,
            host.name.span,
            format!("the host `{}` is not the machine {name}", host.name.text),
        )
        .help("rules and questions that say the name mean the host: give it another name");
    }
    sink.finish()
}

/// Warns of a document without any rules section.
pub(crate) fn warn_of_open(sink: &mut Sink) {
    sink.warning(
        Code::EverythingAllowed,
        Span::default(),
        "there are neither `acls` nor `grants`: all traffic is allowed",
    )
    .help("write `\"acls\": []` to deny all traffic");
}

/// Warns that a part is kept and that nothing acts on it yet.
fn not_acted_on(span: Span, what: &str, effect: &str, sink: &mut Sink) {
    sink.warning(
        Code::NotActedOn,
        span,
        format!("{what} is kept in the document, but this server does not act on it yet: {effect}"),
    );
}
