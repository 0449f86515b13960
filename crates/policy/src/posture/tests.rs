use proptest::prelude::*;

use super::*;
use crate::{
    diagnostic::{Sink, Span},
    source::Text,
};

fn written(text: &str) -> Text {
    Text {
        span: Span::new(10, 12 + text.len()),
        text: text.to_owned(),
    }
}

fn condition(text: &str) -> Condition {
    let mut sink = Sink::default();
    let read = read(&written(text), &mut sink);
    read.unwrap_or_else(|| panic!("{text}: {:?}", sink.finish()))
}

/// The message, the help and the part that the span covers.
fn refusal(text: &str) -> (String, String, String) {
    let mut sink = Sink::default();
    assert_eq!(read(&written(text), &mut sink), None, "{text}");
    let found = sink.finish().remove(0);
    let part = |at: usize| at.saturating_sub(11).min(text.len());
    let (start, end) = (part(found.span.start), part(found.span.end));
    let part = text.get(start..end).unwrap().to_owned();
    (found.message, found.help.unwrap_or_default(), part)
}

fn mac() -> Attributes {
    [
        ("node:os", Value::from("macos")),
        ("node:osVersion", "13.4.1".into()),
        ("node:tsVersion", "1.80.3".into()),
        ("node:tsAutoUpdate", true.into()),
        ("custom:tier", Value::Number(Number::new(3.0).unwrap())),
    ]
    .into_iter()
    .collect()
}

#[test]
fn every_operator_asks_its_question() {
    for (text, holds) in [
        ("node:os == 'macos'", true),
        ("node:os=='macos'", true),
        ("node:os == \"macos\"", true),
        ("node:os == 'linux'", false),
        ("node:os == 'MacOS'", false),
        ("node:os != 'linux'", true),
        ("node:os != 'macos'", false),
        ("node:os IN ['linux', 'macos']", true),
        ("node:os in ['linux','macos',]", true),
        ("node:os NOT IN ['linux', 'windows']", true),
        ("node:os NOT IN ['macos']", false),
        ("node:osVersion >= '13.4'", true),
        ("node:osVersion >= '13.10'", false),
        ("node:osVersion == '13.4.1'", true),
        ("node:osVersion == '13.04.1'", true),
        ("node:tsVersion > '1.9'", true),
        ("node:tsVersion < '1.80.3'", false),
        ("node:tsVersion <= '1.80.3'", true),
        ("node:tsVersion IN ['1.80.3']", true),
        ("node:tsAutoUpdate", true),
        ("node:tsAutoUpdate == true", true),
        ("node:tsAutoUpdate == false", false),
        ("custom:tier >= 2.5", true),
        ("custom:tier < 3", false),
        ("custom:tier == 3", true),
        ("custom:tier IN [1, 2, 3e0]", true),
        ("node:os IS SET", true),
        ("node:os NOT SET", false),
        ("node:os is set", true),
    ] {
        assert_eq!(condition(text).holds(&mac()), holds, "{text}");
    }
}

#[test]
fn what_is_not_set_meets_no_condition_but_that_it_is_not_set() {
    for text in [
        "node:tsReleaseTrack == 'stable'",
        "node:tsReleaseTrack != 'stable'",
        "node:tsReleaseTrack NOT IN ['stable']",
        "node:tsReleaseTrack IS SET",
        "node:tsStateEncrypted",
        "node:tsStateEncrypted == false",
    ] {
        assert!(!condition(text).holds(&mac()), "{text}");
    }
    assert!(condition("node:tsStateEncrypted NOT SET").holds(&mac()));
    // Nobody can tell that what nobody reports is not set.
    assert!(!condition("falcon:ztaScore NOT SET").holds(&mac()));
    assert!(!condition("ip:country NOT SET").holds(&mac()));
}

#[test]
fn a_value_of_another_kind_meets_nothing() {
    for text in [
        "custom:tier == '3'",
        "custom:tier != '3'",
        "custom:tier != true",
        "custom:tier NOT IN ['3']",
        "custom:tier IN ['3', true]",
    ] {
        assert!(!condition(text).holds(&mac()), "{text}");
    }
    assert!(condition("custom:tier NOT IN ['3', 4]").holds(&mac()));
}

/// Text, and parts of the message and the help, and what the span covers.
type Refusal = (&'static str, &'static str, &'static str, &'static str);

const REFUSED: [Refusal; 27] = [
    ("", "empty", "node:os == 'macos'", ""),
    ("os == 'macos'", "`os` is not the name", "node:os", "os"),
    (
        "nod:os == 'macos'",
        "`nod` is not a namespace",
        "`node`",
        "nod:os",
    ),
    (
        "jamfpro:x == 1",
        "`jamfpro` is not",
        "`jamfPro`",
        "jamfpro:x",
    ),
    (
        "custom: == 1",
        "no key after `custom:`",
        "node:os",
        "custom:",
    ),
    ("node:os = 'macos'", "`=` is not an operator", "`==`", "="),
    (
        "node:os equals 'macos'",
        "`equals` is not",
        "NOT IN",
        "equals",
    ),
    ("node:os NOTIN ['a']", "`NOTIN` is not", "`NOT IN`", "NOTIN"),
    (
        "node:os IS NOT SET",
        "`IS NOT` is not",
        "`NOT SET`",
        "IS NOT",
    ),
    ("node:os ~ 'x'", "`~ 'x'` is not an operator", "", "~ 'x'"),
    ("node:os == macos", "`macos` is neither", "quotes", "macos"),
    ("node:os ==", "has no value", "node:os", "node:os =="),
    ("node:os == 'macos", "does not end", "quote", "'macos"),
    ("node:os == ['macos']", "a list stands", "`IN`", "['macos']"),
    (
        "node:os IN 'macos'",
        "need a list",
        "['macos', 'linux']",
        "'macos'",
    ),
    (
        "node:os IN ['macos' 'linux']",
        "no comma",
        "['macos'",
        "'linux']",
    ),
    ("node:os IN ['macos'", "no comma", "['macos'", ""),
    ("node:os IN [", "does not end", "['macos'", "node:os IN ["),
    (
        "node:os IN []",
        "has no values",
        "['macos'",
        "node:os IN []",
    ),
    (
        "node:os == 'a' && x",
        "`&& x` is too much",
        "each string",
        "&& x",
    ),
    (
        "node:os >= 'macos'",
        "cannot compare `node:os`",
        "numbers",
        "node:os >= 'macos'",
    ),
    (
        "custom:v >= '1.2'",
        "cannot compare `custom:v`",
        "numbers",
        "custom:v >= '1.2'",
    ),
    (
        "node:tsVersion >= 1.8",
        "is a text, never a number",
        "quotes",
        "node:tsVersion >= 1.8",
    ),
    (
        "node:tsAutoUpdate == 'true'",
        "never a text",
        "== true",
        "node:tsAutoUpdate == 'true'",
    ),
    (
        "node:tsAutoUpdate < true",
        "cannot compare",
        "numbers",
        "node:tsAutoUpdate < true",
    ),
    ("custom:n == 1e999", "neither a number", "quotes", "1e999"),
    ("custom:n == 0x1", "neither a number", "quotes", "0x1"),
];

#[test]
fn refusals_say_what_where_and_what_to_do() {
    for (text, message, help, part) in REFUSED {
        let found = refusal(text);
        assert!(found.0.contains(message), "{text}: {found:?}");
        assert!(found.1.contains(help), "{text}: {found:?}");
        assert_eq!(found.2, part, "{text}: {found:?}");
    }
    assert!(
        refusal(&format!("node:os == '{}'", "x".repeat(5000)))
            .0
            .contains("longer")
    );
    let many = format!("custom:n IN [{}]", "1,".repeat(300));
    assert!(refusal(&many).0.contains("more than 256 values"));
}

#[test]
fn a_string_with_escapes_is_marked_as_a_whole() {
    let mut sink = Sink::default();
    let text = Text {
        span: Span::new(0, 40),
        text: "node:os = 'macos'".to_owned(),
    };
    assert_eq!(read(&text, &mut sink), None);
    assert_eq!(sink.finish()[0].span, Span::new(0, 40));
}

fn arb_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-zA-Z0-9 .,\\[\\]=]{0,6}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Flag),
        any::<f64>().prop_filter_map("finite", |n| Number::new(n).map(Value::Number)),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_within_its_bounds(text in "\\PC{0,60}") {
        let mut sink = Sink::default();
        let text = written(&text);
        let read = read(&text, &mut sink);
        let found = sink.finish();
        prop_assert_eq!(read.is_none(), !found.is_empty());
        for finding in found {
            prop_assert!(finding.help.is_some());
            prop_assert!(text.span.start <= finding.span.start && finding.span.end <= text.span.end);
        }
    }

    #[test]
    fn pieces_of_the_language_in_any_order_do_no_harm(
        parts in prop::collection::vec(prop::sample::select(vec![
            "node:os", "custom:a", ":", "==", "=", "!=", "<", ">=", " ", "IN", "NOT", "IS", "SET",
            "[", "]", ",", "'a'", "'", "\"", "1", "-", "true", "\u{e9}", "\\",
        ]), 0..12),
    ) {
        let mut sink = Sink::default();
        let read = read(&written(&parts.concat()), &mut sink);
        prop_assert_eq!(read.is_none(), sink.has_errors());
    }

    #[test]
    fn what_is_written_is_what_is_read(values in prop::collection::vec(arb_value(), 1..5), not in any::<bool>()) {
        let list: Vec<String> = values.iter().map(ToString::to_string).collect();
        let word = if not { "NOT IN" } else { "IN" };
        let read = condition(&format!("custom:x {word} [{}]", list.join(", ")));
        prop_assert_eq!(read.values(), &values[..]);
        for value in values {
            let device: Attributes = [("custom:x", value.clone())].into_iter().collect();
            prop_assert_eq!(read.holds(&device), !not);
            let (equal, unequal) = (format!("custom:x == {value}"), format!("custom:x != {value}"));
            prop_assert!(condition(&equal).holds(&device));
            prop_assert!(!condition(&unequal).holds(&device));
        }
    }
}

#[test]
fn a_test_that_lacks_attributes_is_told_which_rule_asks_for_them() {
    let text = r#"{"tagOwners": {"tag:web": []}, "postures": {"posture:mac": ["node:os == 'macos'"]},
        "acls": [{"action": "accept", "src": ["ada@example.com"], "dst": ["tag:web:80"], "srcPosture": ["posture:mac"]}],
        "tests": [{"src": "ada@example.com", "accept": ["tag:web:80"]}, {"src": "ada@example.com", "accept": ["tag:web:81"]}]}"#;
    let directory = crate::Directory {
        users: vec![crate::User {
            id: wire::UserId(1),
            email: "ada@example.com".to_owned(),
            role: wire::api::Role::Member,
        }],
        ..crate::Directory::default()
    };
    let failed = crate::assess(text, &directory, &[]).outcomes;
    let help = |at: usize| failed[at].failure.as_ref().unwrap().help.clone();
    let told = help(0).unwrap();
    assert!(
        told.starts_with("rule 1 of `acls` would") && told.contains("`srcPostureAttrs`"),
        "{told}"
    );
    assert_eq!(help(1), None);
}
