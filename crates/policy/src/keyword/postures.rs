//! `postures` and `defaultSrcPosture`: conditions on devices.

use super::{Keyword, Support, forms, rule};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, Posture},
    posture::{self, Condition},
    shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "postures",
    summary: "Conditions on devices, for `srcPosture`; a device meets a posture when all its conditions hold.",
    example: r#"{ "posture:macs": ["node:os == 'macos'", "node:tsVersion >= '1.60'"] }"#,
    form: forms::POSTURES,
    support: Support::Read(read),
};

pub(super) const DEFAULT: Keyword = Keyword {
    name: "defaultSrcPosture",
    summary: "The postures of which every source device must meet one, where a rule names none itself.",
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
        let before = sink.errors();
        let conditions = conditions(&name.text, &member.value, sink);
        document.postures.push(Posture {
            name: name.clone(),
            conditions,
            is_sound: sink.errors() == before,
        });
    }
}

fn conditions(name: &str, value: &Value, sink: &mut Sink) -> Vec<Condition> {
    let Some(texts) = shape::texts(value, &format!("`{name}`"), sink) else {
        return Vec::new();
    };
    if !shape::within(texts.len(), MAX_CONDITIONS, "conditions", value.span, sink) {
        return Vec::new();
    }
    let read = texts.iter().map(|text| posture::read(text, sink));
    read.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn read_default(value: &Value, document: &mut Document, sink: &mut Sink) {
    document.default_postures = rule::posture_names(value, "`defaultSrcPosture`", sink);
    if document.default_postures.is_none() {
        // What narrows every rule could not be read: no rule may stay wide.
        document.default_postures = Some(Vec::new());
        document.is_unreadably_narrowed = true;
    }
}
