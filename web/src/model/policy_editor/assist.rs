//! What can be written at a place of the policy, and what stands there: as JSON
//! for the editor, whose places count UTF-16 units.

use policy::{Directory, complete::OfferKind};
use serde::Serialize;

use super::{byte, utf16};

/// Offers for the text between two places.
#[derive(Serialize)]
struct Offers {
    from: usize,
    to: usize,
    options: Vec<Choice>,
}

/// One of them, in the editor's words.
#[derive(Serialize)]
struct Choice {
    label: String,
    detail: String,
    apply: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Told {
    from: usize,
    to: usize,
    text: String,
}

/// What can be written at a place.
pub(crate) fn offers(text: &str, place: u32, directory: &Directory) -> String {
    let found = policy::complete::complete(text, at(text, place), directory);
    let options = found.offers.into_iter().map(|offer| Choice {
        label: offer.label,
        detail: offer.detail,
        apply: offer.insert,
        kind: match offer.kind {
            OfferKind::Key => "property",
            OfferKind::Value => "constant",
        },
    });
    json(&Offers {
        from: utf16(text, found.span.start),
        to: utf16(text, found.span.end),
        options: options.collect(),
    })
}

/// What stands at a place; `null` where there is nothing to say.
pub(crate) fn hover(text: &str, place: u32, directory: &Directory) -> String {
    let found = policy::hover::hover(text, at(text, place), directory);
    json(&found.map(|hover| Told {
        from: utf16(text, hover.span.start),
        to: utf16(text, hover.span.end),
        text: hover.text,
    }))
}

fn at(text: &str, place: u32) -> usize {
    byte(text, usize::try_from(place).unwrap_or(usize::MAX))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wire::{UserId, api::Role};

    use super::*;

    const TEXT: &str = r#"{
  // 😀
  "groups": {"group:ops": ["ada@example.com"]},
  "acls": [{"action": "accept", "src": ["group:o"], "dst": ["*:*"]}],
}"#;

    fn ada() -> Directory {
        let user = policy::User {
            id: UserId(1),
            email: "ada@example.com".to_owned(),
            role: Role::Owner,
        };
        Directory {
            users: vec![user],
            ..Directory::default()
        }
    }

    fn place(of: &str) -> u32 {
        u32::try_from(utf16(TEXT, TEXT.find(of).unwrap())).unwrap()
    }

    #[test]
    fn offers_replace_what_is_typed_where_scripts_count_it() {
        let typed = place("group:o\"]");
        let found: Value = serde_json::from_str(&offers(TEXT, typed + 7, &ada())).unwrap();
        assert_eq!(found["from"], json!(typed));
        assert_eq!(found["to"], json!(typed + 7));
        assert_eq!(found["options"][0]["label"], "group:ops");
        assert_eq!(found["options"][0]["apply"], "group:ops");
    }

    #[test]
    fn a_name_under_the_pointer_is_explained() {
        let found: Value = serde_json::from_str(&hover(TEXT, place("ada@") + 2, &ada())).unwrap();
        assert_eq!(found["from"], json!(place("ada@")));
        let said = found["text"].as_str().unwrap();
        assert!(said.contains("role owner"), "{said}");
        assert_eq!(hover(TEXT, 0, &ada()), "null");
    }
}
