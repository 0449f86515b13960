//! Audit records in words.

use serde_json::Value;
use wire::api::{audit::AuditRecord, me::Actor};

/// Who acted.
pub(crate) fn actor(actor: &Actor) -> String {
    match actor {
        Actor::User { email } => email.clone(),
        Actor::LocalAdmin { login } => format!("{login} (server shell)"),
        Actor::AuthKey { key } => {
            let key = key.to_string();
            format!("auth key {}…", key.get(..8).unwrap_or(&key))
        }
        Actor::Server => "server".to_owned(),
    }
}

/// `node.key_expired` as `Node: key expired`.
pub(crate) fn event(event: &str) -> String {
    let (subject, verb) = event.split_once('.').unwrap_or(("", event));
    let plain = |word: &str| word.replace(['_', '-'], " ");
    let mut subject = plain(subject);
    if let Some(first) = subject.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if subject.is_empty() {
        plain(verb)
    } else {
        format!("{subject}: {}", plain(verb))
    }
}

/// What changed, one line each: `atlas → zeus`, `tags: tag:web`.
pub(crate) fn details(record: &AuditRecord) -> Vec<String> {
    let Some(fields) = record.detail.as_object() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let (Some(from), Some(to)) = (fields.get("from"), fields.get("to")) {
        lines.push(format!("{} → {}", short(from), short(to)));
    }
    for (key, value) in fields {
        match (key.as_str(), value) {
            // The target names the machine already.
            ("from" | "to" | "node", _) | (_, Value::Null) => {}
            (_, Value::String(text)) if text.is_empty() => {}
            (_, Value::Object(inner)) => lines.extend(inner.iter().map(|(k, v)| one(k, v))),
            _ => lines.push(one(key, value)),
        }
    }
    lines
}

fn one(key: &str, value: &Value) -> String {
    format!("{}: {}", key.replace('_', " "), short(value))
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::{Timestamp, id::AuditId};

    use super::*;

    fn lines(detail: Value) -> Vec<String> {
        details(&AuditRecord {
            id: AuditId::default(),
            at: Timestamp::from_unix_seconds(0),
            actor: Actor::Server,
            event: "node.renamed".to_owned(),
            target: "atlas".to_owned(),
            detail,
        })
    }

    #[test]
    fn changes_show_old_and_new() {
        assert_eq!(
            lines(json!({"from": "atlas", "to": "zeus", "node": 7})),
            ["atlas → zeus"]
        );
        assert_eq!(
            lines(json!({"from": [], "to": ["tag:db", "tag:eu"]})),
            ["none → tag:db, tag:eu"]
        );
        assert_eq!(
            lines(json!({"settings": {"device_approval": true}})),
            ["device approval: yes"]
        );
    }

    #[test]
    fn plain_facts_are_listed() {
        assert_eq!(
            lines(
                json!({"tags": ["tag:a", "tag:b"], "reusable": true, "note": null, "reason": ""})
            ),
            ["reusable: yes", "tags: tag:a, tag:b"]
        );
        assert_eq!(lines(Value::Null), Vec::<String>::new());
    }

    #[test]
    fn events_and_actors_read_as_words() {
        assert_eq!(event("node.key_expired"), "Node: key expired");
        assert_eq!(event("auth_key.created"), "Auth key: created");
        assert_eq!(event("started"), "started");
        let shell = Actor::LocalAdmin {
            login: "root".to_owned(),
        };
        assert_eq!(actor(&shell), "root (server shell)");
    }
}
