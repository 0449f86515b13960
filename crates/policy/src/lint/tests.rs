use wire::{UserId, api::Role};

use super::*;
use crate::User;

fn directory() -> Directory {
    let user = |id, email: &str, role| User {
        id: UserId(id),
        email: email.to_owned(),
        role,
    };
    Directory {
        users: vec![
            user(1, "ada@example.com", Role::Owner),
            user(2, "Bob@example.com", Role::Member),
        ],
        ..Directory::default()
    }
}

/// The findings as `code 'text of the span' message`.
fn found(text: &str) -> Vec<String> {
    lint(text, &directory())
        .iter()
        .map(|d| {
            assert_eq!(d.severity, crate::Severity::Warning, "nothing stops a save");
            assert!(d.help.is_some(), "{}", d.message);
            let place: String = text[d.span.start..d.span.end].chars().take(24).collect();
            format!("{} '{place}' {}", d.code.as_str(), d.message)
        })
        .collect()
}

#[test]
fn the_starter_policy_is_clean() {
    assert_eq!(found(crate::STARTER), Vec::<String>::new());
}

#[test]
fn names_that_nothing_uses_are_found_at_their_definition() {
    let text = r#"{
  "groups": {"group:a": ["ada@example.com"], "group:b": ["bob@example.com"]},
  "hosts": {"nas": "10.0.0.9", "gone": "10.0.0.8"},
  "tagOwners": {"tag:web": ["group:a"], "tag:none": []},
  "acls": [{"action": "accept", "src": ["*"], "dst": ["nas:443", "tag:web:80"]}],
  "tests": [{"src": "group:b", "accept": ["gone:443"]}],
}"#;
    assert_eq!(
        found(text),
        [
            "unused '\"group:b\"' nothing but tests uses the group `group:b`",
            "unused '\"gone\"' nothing but tests uses the host `gone`",
            "unused '\"tag:none\"' the tag `tag:none` is used nowhere",
        ]
    );
}

#[test]
fn rules_that_say_the_same_are_found_whatever_their_formatting() {
    let text = r#"{"acls": [
  {"action": "accept", "src": ["*"], "dst": ["*:80", "*:90"]},
  {"action": "accept", "proto": "tcp", "src": ["*"], "dst": ["*:80", "*:90"]},
  {"dst": ["*:90", "*:80"], /* twin */ "users": ["*"], "action": "accept"},
]}"#;
    let all = found(text);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].starts_with("shadowed_rule") && all[0].contains("rule 1 of `acls`"));
    assert!(
        all[1].starts_with("duplicate_rule '{\"dst\": [\"*:90\"") && all[1].contains("rule 1 of")
    );
}

#[test]
fn a_rule_is_shadowed_only_when_all_of_it_is_allowed_elsewhere() {
    let shadowed = |wide: &str, narrow: &str| {
        let text = format!(
            r#"{{"groups": {{"group:a": ["ada@example.com", "bob@example.com"]}}, "hosts": {{"nas": "10.0.0.9"}},
"acls": [{{"action": "accept", {wide}}}, {{"action": "accept", {narrow}}}]}}"#
        );
        let all = found(&text);
        all.iter()
            .any(|f| f.starts_with("shadowed_rule") && f.contains("rule 1 of"))
    };
    for (wide, narrow) in [
        (
            r#""src": ["*"], "dst": ["*:*"]"#,
            r#""src": ["group:a"], "dst": ["nas:80"]"#,
        ),
        (
            r#""src": ["group:a"], "dst": ["*:*"]"#,
            r#""src": ["Ada@example.com"], "dst": ["nas:80"]"#,
        ),
        (
            r#""src": ["10.0.0.0/8"], "dst": ["*:*"]"#,
            r#""src": ["nas"], "dst": ["nas:80"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["10.0.0.0/8:1-100,200"]"#,
            r#""src": ["tag:x"], "dst": ["nas:80,200"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["*:*"]"#,
            r#""proto": "udp", "src": ["*"], "dst": ["*:*"]"#,
        ),
    ] {
        assert!(shadowed(wide, narrow), "{narrow}");
    }
    for (wide, narrow) in [
        (
            r#""src": ["group:a"], "dst": ["*:*"]"#,
            r#""src": ["group:a", "tag:x"], "dst": ["*:*"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["*:80"]"#,
            r#""src": ["group:a"], "dst": ["*:80-81"]"#,
        ),
        (
            r#""proto": "tcp", "src": ["*"], "dst": ["*:*"]"#,
            r#""src": ["group:a"], "dst": ["*:*"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["*:*"]"#,
            r#""proto": "gre", "src": ["*"], "dst": ["*:*"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["*:*"]"#,
            r#""src": ["10.0.0.0/8"], "dst": ["*:*"]"#,
        ),
        (
            r#""src": ["*"], "dst": ["*:*"]"#,
            r#""src": ["*"], "dst": ["autogroup:internet:*"]"#,
        ),
        (
            r#""srcPosture": ["posture:x"], "src": ["*"], "dst": ["*:*"]"#,
            r#""src": ["*"], "dst": ["nas:80"]"#,
        ),
    ] {
        assert!(!shadowed(wide, narrow), "{narrow}");
    }
}

#[test]
fn what_is_nobody_s_is_found() {
    let text = r#"{
  "groups": {"group:gone": ["eve@example.com"], "group:all": ["ada@example.com", "bob@example.com"]},
  "tagOwners": {"tag:a": ["group:gone"], "tag:b": ["tag:b"], "tag:c": []},
  "acls": [
    {"action": "accept", "src": ["group:gone", "eve@example.com"], "dst": ["tag:a:80"]},
    {"action": "accept", "src": ["group:all"], "dst": ["eve@example.com:80"]},
    {"action": "accept", "src": ["autogroup:auditor"], "dst": ["tag:b:80", "tag:c:80"]},
    {"action": "accept", "src": ["group:all", "tag:a"], "dst": ["group:all:80"]},
  ],
}"#;
    let all = found(text);
    let of = |code: &str| all.iter().filter(|f| f.starts_with(code)).count();
    assert_eq!(of("matches_nobody"), 3, "{all:#?}");
    assert_eq!(of("unassignable_tag"), 2, "{all:#?}");
    assert_eq!(all.len(), 5, "{all:#?}");
}

#[test]
fn users_in_no_rule_are_named_together() {
    let text =
        r#"{"acls": [{"action": "accept", "src": ["ada@example.com", "tag:x"], "dst": ["*:*"]}]}"#;
    assert_eq!(
        found(text),
        ["user_in_no_rule '\"acls\"' no rule has these users as a source: bob@example.com"]
    );
    for all in [
        "*",
        "autogroup:member",
        "user:*@example.com",
        "10.0.0.0/8",
        "group:x@okta",
    ] {
        let text =
            format!(r#"{{"acls": [{{"action": "accept", "src": ["{all}"], "dst": ["*:*"]}}]}}"#);
        assert_eq!(found(&text), Vec::<String>::new(), "{all}");
    }
    assert_eq!(lint(text, &Directory::default()), []);
}

#[test]
fn a_sensitive_port_wants_a_test() {
    let with = |tests: &str| {
        found(&format!(
            r#"{{"acls": [{{"action": "accept", "src": ["*"], "dst": ["10.0.0.0/8:22,5432", "10.0.0.1:1-65535"]}}],
"grants": [{{"src": ["*"], "dst": ["10.0.0.1"], "ip": ["tcp:3389", "443", "6379"]}}], "tests": [{tests}]}}"#
        ))
    };
    let all =
        with(r#"{"src": "ada@example.com", "deny": ["10.0.0.2:22"], "accept": ["10.0.0.2:5432"]}"#);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].contains("'\"tcp:3389\"' port 3389 (RDP)"), "{all:?}");
    assert!(all[1].contains("'\"6379\"' port 6379 (Redis)"), "{all:?}");
    assert_eq!(with("").len(), 4);
    let own = r#"{"acls": [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:22"]}],
"grants": [{"src": ["autogroup:member"], "dst": ["autogroup:self"], "ip": ["tcp:3389"]}]}"#;
    assert_eq!(found(own), Vec::<String>::new(), "one's own devices");
}
