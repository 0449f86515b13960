//! What rules of `acls` and `grants` have in common.

use super::{fields::Fields, form::Names, forms};
use crate::{
    diagnostic::{Code, Sink},
    selector::{
        self, Selector, SelectorKind,
        autogroup::{self, Side},
    },
    shape,
    source::{Text, Value},
};

/// The most rules of one section.
pub(super) const MAX_RULES: usize = 10_000;

/// Reads the rules of a section.
pub(super) fn rules<T>(
    value: &Value,
    what: &str,
    sink: &mut Sink,
    read: impl Fn(usize, &Value, &mut Sink) -> Option<T>,
) -> Option<Vec<T>> {
    let items = shape::items(value, what, sink)?;
    if !shape::within(items.len(), MAX_RULES, "rules", value.span, sink) {
        return Some(Vec::new());
    }
    let rules = items.iter().enumerate();
    Some(rules.filter_map(|(i, item)| read(i, item, sink)).collect())
}

/// The sources; what cannot be read is left out. As at the service a rule may
/// have none, and then allows nothing.
pub(super) fn sources(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<Selector>> {
    let Some(value) = fields.get("src") else {
        return Some(Vec::new());
    };
    let texts = shape::texts(value, "`src`", sink)?;
    Some(
        texts
            .iter()
            .filter_map(|text| selector::read(text, sink).filter(|s| may_be_source(s, sink)))
            .collect(),
    )
}

fn may_be_source(selector: &Selector, sink: &mut Sink) -> bool {
    let fits = Names::hold(forms::access::SOURCE, &selector.kind);
    if !fits && let SelectorKind::Autogroup(group) = selector.kind {
        autogroup::refuse(group, Side::Source, selector.span, sink);
    } else if !fits {
        sink.error(
            Code::InvalidSelector,
            selector.span,
            format!("`{}` cannot be a source", selector.kind),
        )
        .help("services answer, they do not ask");
    }
    fits
}

/// True for what may be a destination of traffic; what may not is reported.
pub(super) fn may_be_target(selector: &Selector, sink: &mut Sink) -> bool {
    let fits = Names::hold(forms::access::DESTINATION, &selector.kind);
    if !fits && let SelectorKind::Autogroup(group) = selector.kind {
        autogroup::refuse(group, Side::Target, selector.span, sink);
    }
    fits
}

/// The names of `srcPosture`.
pub(super) fn postures(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<Text>> {
    match fields.get("srcPosture") {
        Some(value) => posture_names(value, "`srcPosture`", sink),
        None => Some(Vec::new()),
    }
}

/// A list of `posture:NAME`; `None` when one cannot be read.
pub(super) fn posture_names(value: &Value, what: &str, sink: &mut Sink) -> Option<Vec<Text>> {
    let names = shape::texts(value, what, sink)?;
    let bad = names.iter().find(|n| !is_posture(&n.text));
    if let Some(name) = bad {
        sink.error(
            Code::InvalidName,
            name.span,
            format!("`{}` is not the name of a posture", name.text),
        )
        .help("write `posture:` and a name of `postures`");
        return None;
    }
    Some(names)
}

pub(super) fn is_posture(text: &str) -> bool {
    text.strip_prefix("posture:").is_some_and(|n| !n.is_empty())
}
