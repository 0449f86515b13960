//! The sources, destinations and recorders of an SSH rule, and which may meet.

use crate::{
    diagnostic::{Code, Sink},
    document::ssh::{SshAction, SshRule},
    keyword::{form::Names, forms},
    selector::{self, Selector, SelectorKind, autogroup::Autogroup},
    source::Text,
};

/// Who may sign in: people, groups and tags, never addresses, which belong to nobody for sure.
pub(super) fn source(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let selector = selector::read(text, sink)?;
    let ok = Names::hold(forms::ssh::SOURCE, &selector.kind);
    if !ok {
        let message = if matches!(selector.kind, SelectorKind::Autogroup(_)) {
            format!("\"{}\" is not allowed in src", text.text)
        } else {
            format!("invalid src \"{}\"", text.text)
        };
        sink.error(Code::InvalidSelector, text.span, message)
            .help("write a user, `group:…`, `tag:…` or a built-in group of people");
    }
    ok.then_some(selector)
}

/// Where one may sign in: tagged nodes and a person's own.
pub(super) fn destination(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let selector = selector::read(text, sink)?;
    let ok = Names::hold(forms::ssh::DESTINATION, &selector.kind);
    if !ok {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("invalid dst \"{}\"", text.text),
        )
        .help("write `tag:…`, `autogroup:self` or `autogroup:tagged`");
    }
    ok.then_some(selector)
}

/// Nodes that record.
pub(super) fn recorder(text: &Text, sink: &mut Sink) -> Option<Selector> {
    let selector = selector::read(text, sink)?;
    let ok = Names::hold(forms::ssh::RECORDER, &selector.kind);
    if !ok {
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("invalid recorder \"{}\"", text.text),
        )
        .help("write the tag of the nodes that record, as in `tag:recorder`");
    }
    ok.then_some(selector)
}

/// True when no tag and no second person may be at somebody's own device.
pub(super) fn check_pairs(rule: &SshRule, sink: &mut Sink) -> bool {
    let tagged = rule.sources.iter().find(|s| is_tagged(s));
    let checked = match (tagged, rule.action) {
        (Some(source), SshAction::Check(_)) => {
            sink.error(
                Code::InvalidSelector,
                source.span,
                "[ssh] \"check\" action does not support tags in src",
            )
            .help("nobody sits at a tagged node who could sign in: write `accept`");
            false
        }
        (Some(_) | None, SshAction::Accept | SshAction::Check(_)) => true,
    };
    let pairs = rule.destinations.iter().filter(|target| {
        let refused = refusal(&target.kind, &rule.sources, tagged.is_some());
        if let Some((message, help)) = &refused {
            sink.error(Code::InvalidSelector, target.span, message.as_str())
                .help(*help);
        } else if target.kind == SelectorKind::Autogroup(Autogroup::Member) {
            sink.warning(
                Code::WideRule,
                target.span,
                "every source of this rule may sign in to the devices of all users",
            )
            .help("write `autogroup:self` to let each person into their own devices only");
        }
        refused.is_some()
    });
    pairs.count() == 0 && checked
}

/// Why these sources may not have this destination, and what to write.
fn refusal(
    target: &SelectorKind,
    sources: &[Selector],
    tagged: bool,
) -> Option<(String, &'static str)> {
    const OTHER: &str = "write a tag or `autogroup:tagged` as the destination";
    let of = |group| *target == SelectorKind::Autogroup(group);
    if let SelectorKind::User(user) = target {
        if tagged {
            return Some((
                format!("tags in SSH source cannot access user-owned devices ({user})"),
                OTHER,
            ));
        }
        let only = |s: &Selector| matches!(&s.kind, SelectorKind::User(one) if one == user);
        return (sources.is_empty() || !sources.iter().all(only)).then(|| {
            (
                format!("user destination requires source to contain only that same user \"{user}\"; use autogroup:self instead for same-user SSH access"),
                "write `autogroup:self`: each person's own devices",
            )
        });
    }
    if tagged && of(Autogroup::SelfDevices) {
        let message = "autogroup:self destination requires source to contain only users or groups, not tags or autogroup:tagged";
        return Some((
            message.to_owned(),
            "put the tagged source into a rule of its own",
        ));
    }
    (tagged && of(Autogroup::Member)).then(|| {
        let message = "tags in SSH source cannot access autogroup:member (user-owned devices)";
        (message.to_owned(), OTHER)
    })
}

fn is_tagged(selector: &Selector) -> bool {
    matches!(
        selector.kind,
        SelectorKind::Tag(_) | SelectorKind::Autogroup(Autogroup::Tagged)
    )
}
