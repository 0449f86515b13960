use wire::{UserId, api::Role};

use super::*;

/// What is said at the first `what` of the text.
fn told(text: &str, what: &str) -> Option<String> {
    let directory = Directory {
        users: vec![crate::User {
            id: UserId(1),
            email: "ada@example.com".to_owned(),
            role: Role::NetworkAdmin,
        }],
        ..Directory::default()
    };
    let found = hover(text, text.find(what)? + 1, &directory)?;
    assert!(text[found.span.start..found.span.end].contains(what.trim_matches('"')));
    Some(found.text)
}

const DOC: &str = r#"{
  "groups": {"group:ops": ["ada@example.com"]},
  "tagOwners": {"tag:web": []},
  "acls": [
    // A comment.
    {"action": "accept", "src": ["group:ops", "nobody@example.com"], "dst": ["tag:web:22", "autogroup:self:*"]},
  ],
}"#;

#[test]
fn keys_are_explained_with_their_form_and_an_example() {
    let acls = told(DOC, "acls").unwrap();
    assert!(acls.starts_with("Rules that allow traffic"), "{acls}");
    assert!(acls.contains("\nFor example: ["), "{acls}");
    assert!(
        told(DOC, "dst")
            .unwrap()
            .starts_with("To what, each with ports")
    );
}

#[test]
fn names_are_explained_by_their_definition() {
    let source = &DOC[DOC.find("acls").unwrap()..];
    let place = |what: &str| DOC.len() - source.len() + source.find(what).unwrap();
    let at = |what: &str| hover(DOC, place(what), &Directory::default()).map(|h| h.text);
    assert_eq!(
        at("group:ops").unwrap(),
        "`group:ops` stands for ada@example.com."
    );
    assert_eq!(
        at("tag:web").unwrap(),
        "`tag:web` may be given by administrators alone."
    );
    assert!(at("autogroup:self").unwrap().contains("own devices"));
    assert_eq!(at("nobody@"), None);
}

#[test]
fn definitions_are_told_in_words() {
    let many: Vec<String> = (0..40)
        .map(|n| format!("\"user{n:02}@example.com\""))
        .collect();
    let text = r#"{
        "groups": {"group:many": [MANY], "group:none": []},
        "hosts": {"office": "10.20.0.0/16"},
        "ipsets": {"ipset:prod": ["10.0.0.0/16", /* the lab */ "remove 10.0.7.0/24", "add office"]},
        "postures": {"posture:mac": ["node:os == 'macos'", "node:tsVersion >= '1.80'"]},
        "tagOwners": {"tag:web": ["group:none"], "tag:db": ["group:none", "tag:web",]},
    }"#
    .replace("MANY", &many.join(", "));
    let at = |what: &str| told(&text, what).unwrap();
    assert_eq!(at("\"office\""), "`office` stands for 10.20.0.0/16.");
    assert_eq!(
        at("\"ipset:prod\""),
        "`ipset:prod` stands for 10.0.0.0/16, without 10.0.7.0/24 and office."
    );
    assert_eq!(
        at("\"posture:mac\""),
        "`posture:mac` asks for node:os == 'macos' and node:tsVersion >= '1.80'."
    );
    assert_eq!(
        at("\"tag:web\""),
        "`tag:web` may be given by administrators and by group:none."
    );
    assert_eq!(
        at("\"tag:db\""),
        "`tag:db` may be given by administrators and by group:none and tag:web."
    );
    assert_eq!(at("\"group:none\""), "`group:none` stands for nobody.");
    let many = at("\"group:many\"");
    assert!(many.starts_with("`group:many` stands for user00@example.com, user01"));
    assert!(many.ends_with("user10@example.com and 29 more."), "{many}");
}

#[test]
fn users_are_told_with_their_role() {
    assert_eq!(
        told(DOC, "ada@example.com").unwrap(),
        "A user of this tenant, with the role network admin."
    );
}

#[test]
fn there_is_nothing_to_say_of_comments_and_brackets() {
    assert_eq!(told(DOC, "A comment"), None);
    assert_eq!(told(DOC, "[\n"), None);
}

#[test]
fn conditions_are_explained_by_their_attribute() {
    let text = r#"{"postures": {"posture:x": ["node:tsVersion >= '1.80'", "ip:country == 'NL'"]},
        "tests": [{"src": "ada@example.com", "srcPostureAttrs": {"node:os": "linux"}}]}"#;
    let version = told(text, "\"node:tsVersion").unwrap();
    assert!(
        version.starts_with("`node:tsVersion`: The version of the client."),
        "{version}"
    );
    let country = told(text, "\"ip:country").unwrap();
    assert!(country.ends_with("of any device yet."), "{country}");
    let os = told(text, "\"node:os\"").unwrap();
    assert!(os.contains("macos, windows"), "{os}");
}
