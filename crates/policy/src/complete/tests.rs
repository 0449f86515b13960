use wire::{UserId, api::Role};

use super::*;

fn directory() -> Directory {
    let user = |id, email: &str| crate::User {
        id: UserId(id),
        email: email.to_owned(),
        role: Role::Member,
    };
    Directory {
        users: vec![user(1, "ada@example.com"), user(2, "bob@example.com")],
        domains: vec!["example.com".to_owned()],
        ..Directory::default()
    }
}

/// The offers at the `|` of the text, and what the text becomes with the first.
fn at_mark(text: &str) -> (Vec<String>, String) {
    let at = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let found = complete(&text, at, &directory());
    let labels = found.offers.iter().map(|o| o.label.clone()).collect();
    let written = found.offers.first().map_or(text.clone(), |offer| {
        format!(
            "{}{}{}",
            &text[..found.span.start],
            offer.insert,
            &text[found.span.end..]
        )
    });
    (labels, written)
}

const NAMES: &str = r#""groups": {"group:ops": [], "group:dev": []}, "tagOwners": {"tag:web": []}, "hosts": {"nas": "10.0.0.9"}"#;

#[test]
fn keys_that_are_not_there_yet_are_offered() {
    let (labels, written) = at_mark(r#"{"acls": [], |, "groups": {}}"#);
    assert!(labels.contains(&"hosts".to_owned()), "{labels:?}");
    assert!(!labels.contains(&"acls".to_owned()) && !labels.contains(&"groups".to_owned()));
    assert!(written.starts_with(r#"{"acls": [], ""#), "{written}");
    let (labels, _) = at_mark(r#"{"acls": [{"src": [], "|"}]}"#);
    assert!(labels.contains(&"dst".to_owned()), "{labels:?}");
    assert!(!labels.contains(&"src".to_owned()) && !labels.contains(&"users".to_owned()));
}

#[test]
fn a_key_that_is_being_typed_is_completed() {
    let (labels, written) = at_mark(r#"{"tagO|"}"#);
    assert_eq!(labels, ["tagOwners"]);
    assert_eq!(written, r#"{"tagOwners"}"#);
    let (_, written) = at_mark("{gro|");
    assert_eq!(written, r#"{"groups""#);
}

#[test]
fn selectors_come_from_the_text_and_the_directory() {
    let text = format!(r#"{{{NAMES}, "acls": [{{"src": ["|"#);
    let (labels, _) = at_mark(&text);
    for label in [
        "group:ops",
        "tag:web",
        "nas",
        "ada@example.com",
        "user:*@example.com",
        "*",
        "autogroup:member",
    ] {
        assert!(labels.contains(&label.to_owned()), "{label}: {labels:?}");
    }
    assert!(!labels.contains(&"autogroup:self".to_owned()));
    let (labels, written) = at_mark(&format!(
        r#"{{{NAMES}, "acls": [{{"src": ["GROUP:o|"]}}]}}"#
    ));
    assert_eq!(labels[0], "group:ops");
    assert!(!labels.contains(&"group:dev".to_owned()), "{labels:?}");
    assert!(written.ends_with(r#""src": ["group:ops"]}]}"#), "{written}");
}

#[test]
fn destinations_come_with_ports_unless_they_have_some() {
    let (labels, written) = at_mark(&format!(r#"{{{NAMES}, "acls": [{{"dst": [tag|"#));
    assert_eq!(labels[0], "tag:web:*");
    assert!(written.ends_with(r#""dst": ["tag:web:*""#), "{written}");
    let (_, written) = at_mark(&format!(
        r#"{{{NAMES}, "acls": [{{"dst": ["tag:w|:22,80"]}}]}}"#
    ));
    assert!(
        written.ends_with(r#""dst": ["tag:web:22,80"]}]}"#),
        "{written}"
    );
}

#[test]
fn words_are_offered_where_only_they_fit() {
    assert_eq!(
        at_mark(r#"{"acls": [{"action": |}]}"#).1,
        r#"{"acls": [{"action": "accept"}]}"#
    );
    assert_eq!(
        at_mark(r#"{"groups": {"group:a": ["|"]}}"#).0,
        ["ada@example.com", "bob@example.com"]
    );
    let owners = at_mark(&format!(r#"{{{NAMES}, "tagOwners": {{"tag:x": ["|"]}}}}"#)).0;
    assert!(owners.contains(&"autogroup:admin".to_owned()) && !owners.contains(&"nas".to_owned()));
}

#[test]
fn nothing_is_offered_in_comments_and_outside() {
    for text in [
        "{ // |",
        "{ /* | */ }",
        "|",
        r#"{"acls": []} |"#,
        r#"{"strange": {"|"}}"#,
        r#"["|"]"#,
    ] {
        assert_eq!(at_mark(text).0, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn any_place_of_a_broken_text_can_be_asked() {
    let text = crate::STARTER;
    for cut in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let found = complete(&text[..cut], cut, &directory());
        assert!(found.span.start <= found.span.end && found.span.end <= cut);
    }
}

#[test]
fn conditions_and_attributes_are_offered() {
    let (labels, written) = at_mark(r#"{"postures": {"posture:x": ["node:tsV|"]}}"#);
    assert_eq!(labels, ["node:tsVersion >= '1.80'"]);
    assert!(
        written.contains(r#"["node:tsVersion >= '1.80'"]"#),
        "{written}"
    );
    let (labels, _) = at_mark(r#"{"tests": [{"src": "x", "srcPostureAttrs": {"node:o|"}}]}"#);
    assert_eq!(labels, ["node:os", "node:osVersion"]);
}
