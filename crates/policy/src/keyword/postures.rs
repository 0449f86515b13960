//! `postures` and `defaultSrcPosture`: conditions on devices.

use super::{Keyword, Support, forms, rule};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, Posture},
    shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "postures",
    summary: "Conditions on devices, for `srcPosture`.",
    example: r#"{ "posture:macs": ["node:os == 'macos'", "node:tsVersion >= '1.60'"] }"#,
    form: forms::POSTURES,
    support: Support::Read(read),
};

pub(super) const DEFAULT: Keyword = Keyword {
    name: "defaultSrcPosture",
    summary: "The postures of which every source must meet one, where a rule names none itself.",
    example: "[]",
    form: forms::DEFAULT_SRC_POSTURE,
    support: Support::Read(read_default),
};

/// The most postures.
const MAX_POSTURES: usize = 2_000;
/// The most conditions of one posture.
const MAX_CONDITIONS: usize = 200;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`postures`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_POSTURES, "postures", value.span, sink) {
        return;
    }
    for member in members {
        let name = &member.key;
        if !rule::is_posture(&name.text) {
            sink.error(
                Code::InvalidName,
                name.span,
                format!("`{}` is not the name of a posture", name.text),
            )
            .help("write `posture:` and a name, as in `posture:managed`");
            continue;
        }
        let what = format!("`{}`", name.text);
        let Some(conditions) = shape::texts(&member.value, &what, sink) else {
            continue;
        };
        let span = member.value.span;
        if shape::within(conditions.len(), MAX_CONDITIONS, "conditions", span, sink) {
            document.postures.push(Posture {
                name: name.clone(),
                conditions,
            });
        }
    }
}

fn read_default(value: &Value, document: &mut Document, sink: &mut Sink) {
    document.default_postures = rule::posture_names(value, "`defaultSrcPosture`", sink);
    if document.default_postures.is_none() {
        // What narrows every rule could not be read: no rule may stay wide.
        document.default_postures = Some(Vec::new());
        document.is_unreadably_narrowed = true;
    }
}
