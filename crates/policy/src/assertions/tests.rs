use wire::{UserId, api::Role};

use crate::{Directory, NodeFacts, User};

fn ada() -> Directory {
    Directory {
        users: vec![User {
            id: UserId(1),
            email: "ada@example.com".to_owned(),
            role: Role::Member,
        }],
        ..Directory::default()
    }
}

fn router(tag: &str, routes: &[&str], exits: &[&str]) -> NodeFacts {
    let prefixes = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect();
    NodeFacts {
        tags: vec![tag.to_owned()],
        addresses: vec!["100.64.0.1".parse().unwrap()],
        routes: prefixes(routes),
        exit_routes: prefixes(exits),
        ..NodeFacts::default()
    }
}

/// The words of the tests that fail.
fn failing(text: &str, nodes: &[NodeFacts]) -> Vec<String> {
    let assessed = crate::assess(text, &ada(), nodes);
    assert!(assessed.tested, "{:#?}", assessed.diagnostics);
    let failures = assessed.failures().into_iter();
    failures.map(|d| d.message).collect()
}

#[test]
fn a_test_judges_the_text_whatever_is_approved() {
    let law = |rules: &str, tests: &str| {
        format!(
            r#"{{"tagOwners": {{"tag:r": [], "tag:other": []}}, "grants": [{rules}],
            "tests": [{{"src": "ada@example.com", {tests}}}]}}"#
        )
    };
    let internet = r#"{"src": ["autogroup:member"], "dst": ["autogroup:internet"], "ip": ["*"]}"#;
    let office = r#"{"src": ["autogroup:member"], "dst": ["10.1.0.0/16"], "ip": ["*"]}"#;
    let via =
        r#"{"src": ["autogroup:member"], "dst": ["10.1.0.0/16"], "ip": ["*"], "via": ["tag:r"]}"#;
    let worlds = [
        vec![],
        vec![router("tag:r", &[], &["0.0.0.0/0", "::/0"])],
        vec![router("tag:r", &["10.1.0.0/16"], &[])],
        vec![router("tag:other", &["10.0.0.0/8", "8.8.8.0/24"], &[])],
    ];
    for (rules, tests, expected) in [
        (
            internet,
            r#""accept": ["8.8.8.8:53", "[2001:4860:4860::8888]:53"]"#,
            0,
        ),
        (internet, r#""deny": ["8.8.8.8:53"]"#, 1),
        (internet, r#""accept": ["10.1.0.9:22"]"#, 1),
        (internet, r#""deny": ["10.1.0.9:22", "100.64.0.1:22"]"#, 0),
        (
            office,
            r#""accept": ["10.1.0.9:22"], "deny": ["10.2.0.9:22", "8.8.8.8:53"]"#,
            0,
        ),
        (
            via,
            r#""accept": ["10.1.0.9:22"], "deny": ["10.2.0.9:22"]"#,
            0,
        ),
        (via, r#""deny": ["10.1.0.9:22"]"#, 1),
    ] {
        for world in &worlds {
            let failed = failing(&law(rules, tests), world);
            assert_eq!(
                failed.len(),
                expected,
                "{rules} {tests} {world:?}: {failed:?}"
            );
        }
    }
    let failed = failing(
        &law(internet, r#""accept": ["autogroup:internet:443"]"#),
        &[],
    );
    assert!(
        failed[0].ends_with("`autogroup:internet` cannot be tested"),
        "{failed:?}"
    );
}

#[test]
fn tests_and_rules_are_counted_from_one() {
    let text = r#"{"tagOwners": {"tag:r": []},
        "acls": [{"action": "accept", "src": ["ada@example.com"], "dst": ["tag:r:22"]}],
        "ssh": [{"action": "check", "src": ["ada@example.com"], "dst": ["tag:r"], "users": ["root"]}],
        "tests": [{"src": "ada@example.com", "deny": ["tag:r:22"]}],
        "sshTests": [{"src": "ada@example.com", "dst": ["tag:r"], "accept": ["root"], "check": ["root"], "deny": ["root"]}]}"#;
    assert_eq!(
        failing(text, &[]),
        [
            "test 1 of `tests`: ada@example.com -> tag:r:22: expected deny, but rule 1 of `acls` allows it",
            "test 1 of `sshTests`: ada@example.com -> root@tag:r: expected accept, but rule 1 of `ssh` asks for a check",
            "test 1 of `sshTests`: ada@example.com -> root@tag:r: expected deny, but rule 1 of `ssh` allows it",
        ]
    );
}

#[test]
fn a_sign_in_test_names_the_destination_that_fails() {
    let text = r#"{"tagOwners": {"tag:r": [], "tag:s": []},
        "ssh": [{"action": "accept", "src": ["ada@example.com"], "dst": ["tag:r"], "users": ["root"]}],
        "sshTests": [{"src": "ada@example.com", "dst": ["tag:r", "tag:s"], "accept": ["root"], "deny": ["root"]}]}"#;
    assert_eq!(
        failing(text, &[]),
        [
            "test 1 of `sshTests`: ada@example.com -> root@tag:s: expected accept, but no rule of `ssh` allows it",
            "test 1 of `sshTests`: ada@example.com -> root@tag:r: expected deny, but rule 1 of `ssh` allows it",
        ]
    );
}
