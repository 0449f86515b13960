//! The language as a JSON schema (draft 2020-12), for editors that read one.

use serde_json::{Map, Value as Json, json};

use crate::keyword::{
    KEYWORDS,
    form::{Field, Form, Names, Need},
};

/// The schema as text. It describes what [`crate::parse`] reads after comments and
/// trailing commas are gone; it knows keys and forms, not what names stand for.
pub fn schema() -> String {
    let properties: Map<String, Json> = KEYWORDS
        .iter()
        .filter(|k| k.is_supported())
        .map(|k| (k.name.to_owned(), described(&k.form, k.summary, k.example)))
        .collect();
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Access policy",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    serde_json::to_string_pretty(&root).unwrap_or_default()
}

fn described(form: &Form, summary: &str, example: &str) -> Json {
    let mut out = of(form);
    if let Json::Object(members) = &mut out {
        members.insert("description".to_owned(), summary.into());
        if let Ok(example) = serde_json::from_str::<Json>(example) {
            members.insert("examples".to_owned(), json!([example]));
        }
    }
    out
}

fn of(form: &Form) -> Json {
    match form {
        Form::Boolean => json!({"type": "boolean"}),
        Form::Text(_) | Form::Target(_) => json!({"type": "string"}),
        Form::OneOf(words) => json!({"type": "string", "enum": words}),
        Form::Name(names) => match pattern(names) {
            Some(pattern) => json!({"type": "string", "pattern": pattern}),
            None => json!({"type": "string"}),
        },
        Form::List(inner) => json!({"type": "array", "items": of(inner)}),
        Form::Map(names, inner) => {
            let mut out = json!({"type": "object", "additionalProperties": of(inner)});
            if let (Some(pattern), Json::Object(members)) = (pattern(names), &mut out) {
                members.insert("propertyNames".to_owned(), json!({"pattern": pattern}));
            }
            out
        }
        Form::Object(fields) => object(fields),
        Form::Any => json!({}),
    }
}

fn object(fields: &[Field]) -> Json {
    let properties: Map<String, Json> = fields
        .iter()
        .map(|f| {
            let mut one = described(&f.form, f.summary, f.example);
            if let (Need::Spells(_), Json::Object(members)) = (f.need, &mut one) {
                members.insert("deprecated".to_owned(), true.into());
            }
            (f.name.to_owned(), one)
        })
        .collect();
    let needed: Vec<Json> = fields
        .iter()
        .filter(|f| f.need == Need::Required)
        .map(|f| {
            let older = fields.iter().filter(|o| o.need == Need::Spells(f.name));
            let ways: Vec<Json> = std::iter::once(f)
                .chain(older)
                .map(|way| json!({"required": [way.name]}))
                .collect();
            json!({"anyOf": ways})
        })
        .collect();
    let mut out = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (false, Json::Object(members)) = (needed.is_empty(), &mut out) {
        members.insert("allOf".to_owned(), needed.into());
    }
    out
}

/// The pattern that all names of these kinds fit, where each has a prefix of its own.
fn pattern(names: &[Names]) -> Option<String> {
    let prefixes: Option<Vec<&str>> = names
        .iter()
        .map(|kind| match kind {
            Names::Group => Some("group:"),
            Names::Tag => Some("tag:"),
            Names::Ipset => Some("ipset:"),
            Names::Service => Some("svc:"),
            Names::Posture => Some("posture:"),
            Names::Any
            | Names::Attribute
            | Names::Condition
            | Names::User
            | Names::Domain
            | Names::Host
            | Names::Address
            | Names::Autogroups(_)
            | Names::Word(_)
            | Names::Other(_) => None,
        })
        .collect();
    prefixes.map(|p| format!("^({})", p.join("|")))
}

#[cfg(test)]
mod tests;
