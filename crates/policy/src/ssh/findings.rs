//! What is wrong with `ssh` for this tenant: domains that are not its own, users that it does not have.

use crate::{
    diagnostic::{Code, Diagnostic, Sink, Span},
    directory::Directory,
    document::{
        Document,
        ssh::{LoginKind, SshAction, SshRule},
    },
    login::Logins,
    selector::SelectorKind,
    ssh::ACTS_ON_CHECKS,
};

/// The findings about `ssh` that need the directory. A domain that is not the
/// tenant's is an error, a user that it does not have a warning. What a rule asks
/// for that cannot be done yet is a warning: `check` and recorders.
pub fn findings(document: &Document, directory: &Directory) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    let users = Logins::new(directory.users.iter().map(|u| (u.email.as_str(), ())));
    for rule in &document.ssh {
        warn_of_limits(rule, &mut sink);
        for login in &rule.logins {
            if let LoginKind::LocalPart(domain) = &login.kind {
                check_domain(domain, login.span, directory, &mut sink);
            }
        }
        for selector in rule.sources.iter().chain(&rule.destinations) {
            if let SelectorKind::UsersOf(domain) = &selector.kind {
                check_domain(domain, selector.span, directory, &mut sink);
            }
            if let SelectorKind::User(name) = &selector.kind {
                users.must_know(name, selector.span, &mut sink);
            }
        }
    }
    sink.finish()
}

fn warn_of_limits(rule: &SshRule, sink: &mut Sink) {
    if matches!(rule.action, SshAction::Check(_)) && !ACTS_ON_CHECKS {
        sink.warning(
            Code::NotActedOn,
            rule.span,
            "`check` is kept in the document and tested, but this server cannot check people yet: whom the rule matches is turned away",
        )
        .help("write `accept` to let people in without a check");
    }
    if let Some(first) = rule.recorders.first() {
        let effect = if rule.enforce_recorder {
            "the rule lets nobody in unless a node with the tag records"
        } else {
            "sessions go on where nothing records them"
        };
        sink.warning(
            Code::NotActedOn,
            first.span,
            format!("`recorder` is sent to the nodes, but this server does not see to it that sessions are recorded: {effect}"),
        );
    }
}

fn check_domain(domain: &str, span: Span, directory: &Directory, sink: &mut Sink) {
    if directory.has_domain(domain) {
        return;
    }
    // What can be no domain is refused before anything is known of the key.
    let key = if domain.contains('*') { "" } else { "[ssh] " };
    sink.error(
        Code::UnknownDomain,
        span,
        format!(
            "{key}{domain} is not associated with this Tailnet and cannot be used in user:*@<domain> expressions"
        ),
    )
    .help("name the people or a group of theirs: no such domain was proven to be this tenant's");
}
