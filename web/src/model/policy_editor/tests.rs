use wire::{Timestamp, UserId, api::Role};

use super::*;

fn ada() -> Directory {
    directory(&[User {
        id: UserId(1),
        email: "ada@example.com".to_owned(),
        display_name: "Ada".to_owned(),
        role: Role::Owner,
        nodes: 0,
        created: Timestamp::from_unix_seconds(0),
        last_sign_in: None,
    }])
}

fn judged(text: &str, directory: Option<&Directory>) -> Judgement {
    judge(text, directory, &Judgement::default())
}

#[test]
fn the_starter_policy_is_found_clean() {
    let judgement = judged(policy::STARTER, Some(&ada()));
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.summary(), "No problems found");
    assert_eq!(judgement.tests, Tests::Waiting);
}

#[test]
fn an_error_has_its_line_and_a_mark_that_counts_as_scripts_do() {
    let text = "{\n  // 😀\n  \"acl\": [],\n}";
    let judgement = judged(text, None);
    assert_eq!(judgement.findings[0].line, 3);
    assert_eq!(summary(&judgement.findings[..1]), "1 error");
    assert_eq!(judgement.tests, Tests::NotRun);
    let mark = &marks(text, &judgement.findings)[0];
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let marked = String::from_utf16(&utf16[mark.from..mark.to]).unwrap();
    assert_eq!(marked, "\"acl\"");
    assert!(mark.message.contains("acls"), "{}", mark.message);
}

#[test]
fn bytes_and_units_lead_to_each_other() {
    let text = "a😀ü\n";
    for (at, _) in text.char_indices() {
        assert_eq!(byte(text, utf16(text, at)), at);
    }
    assert_eq!(byte(text, 2), 1, "the second half of a pair");
    assert_eq!(byte(text, 99), text.len());
}

#[test]
fn strangers_are_named_only_when_the_members_are_known() {
    let text = r#"{"acls": [{"action": "accept", "src": ["eve@example.com"], "dst": ["*:*"]}]}"#;
    assert_eq!(judged(text, None).findings, []);
    let judgement = judged(text, Some(&ada()));
    let told: Vec<&str> = judgement.findings.iter().map(|f| f.code.as_str()).collect();
    assert!(told.contains(&"unknown_user"), "{told:?}");
    assert_eq!(count(&judgement.findings).0, 0);
}

const TESTED: &str = r#"{
  "acls": [{"action": "accept", "src": ["ada@example.com"], "dst": ["*:22"]}],
  "tests": [{"src": "ada@example.com", "accept": ["192.0.2.1:80"]}],
}"#;

/// What the server answers to [`TESTED`].
fn server() -> CheckedPolicy {
    let assessed = policy::assess(TESTED, &ada(), &[]);
    CheckedPolicy {
        ok: false,
        diagnostics: assessed
            .diagnostics
            .iter()
            .map(|d| d.to_api(TESTED))
            .collect(),
        tests: Some(TestRun {
            held: 0,
            failed: 1,
            places: vec![TestPlace {
                start: assessed.outcomes[0].span.start,
                holds: false,
            }],
        }),
    }
}

#[test]
fn what_the_server_says_of_tests_stays_while_other_lines_are_typed() {
    let judgement = judged(TESTED, Some(&ada()));
    assert_eq!(
        judgement.tests_summary().as_deref(),
        Some("Running the tests…")
    );
    let judgement = judgement.completed(Ok(server()));
    assert_eq!(count(&judgement.findings).0, 1);
    assert_eq!(
        judgement.tests_summary().as_deref(),
        Some("1 of 1 tests fail")
    );
    assert_eq!(
        judgement.test_marks().unwrap()[0].at,
        TESTED.find("\"192").unwrap(),
        "{:?}",
        judgement.test_marks()
    );

    let typed = TESTED.replacen("{\n", "{\n  // more\n", 1);
    let next = judge(&typed, Some(&ada()), &judgement);
    let failed = next.findings.iter().find(|d| d.code == "test_failed");
    let failed = failed.unwrap();
    assert_eq!(failed.line, 4);
    assert_eq!(&typed[failed.start..failed.end], "\"192.0.2.1:80\"");
    let edited = TESTED.replace("1:80", "1:22");
    let next = judge(&edited, Some(&ada()), &judgement);
    assert_eq!(count(&next.findings).0, 0, "the test itself was edited");
}

#[test]
fn a_server_that_cannot_be_reached_takes_no_finding_away() {
    let text = r#"{"acls": [{"action": "accept", "src": ["eve@example.com"], "dst": ["*:*"]}]}"#;
    let judgement = judged(text, Some(&ada()));
    let alone = judgement.completed(Err("The server cannot be reached.".to_owned()));
    assert_eq!(alone.findings, judgement.findings);
    let said = alone.tests_summary().unwrap();
    assert!(said.contains("cannot be reached"), "{said}");
}
