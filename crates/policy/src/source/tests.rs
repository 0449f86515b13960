use proptest::prelude::*;

use super::*;

fn json(value: &Value) -> serde_json::Value {
    match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Number(n) => serde_json::from_str(n).unwrap(),
        Kind::String(s) => s.as_str().into(),
        Kind::Array(items) => items.iter().map(json).collect(),
        Kind::Object(members) => members
            .iter()
            .map(|m| (m.key.text.clone(), json(&m.value)))
            .collect(),
    }
}

fn message(text: &str) -> String {
    read(text).unwrap_err().message
}

#[test]
fn comments_and_trailing_commas_are_read_over() {
    let text =
        "// head\n{ /* a */ \"a\": [1, 2.5e3, \"x\\u00fc\\n\", ], // tail\n \"b\": {}, }\n//";
    let value = read(text).unwrap();
    assert_eq!(
        json(&value),
        serde_json::json!({"a": [1, 2.5e3, "xü\n"], "b": {}})
    );
}

#[test]
fn every_value_knows_where_it_stands() {
    let text = "{\"a\": [true, \"b\"]}";
    let value = read(text).unwrap();
    let Kind::Object(members) = &value.kind else {
        panic!("an object")
    };
    let Kind::Array(items) = &members[0].value.kind else {
        panic!("an array")
    };
    let at = |s: Span| text.get(s.start..s.end).unwrap();
    assert_eq!(at(members[0].key.span), "\"a\"");
    assert_eq!(at(members[0].value.span), "[true, \"b\"]");
    assert_eq!(at(items[0].span), "true");
    assert_eq!(at(items[1].span), "\"b\"");
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(message(""), "the document ends where a value should be");
    assert_eq!(message("[1 2]"), "expected `,` or `]`");
    assert_eq!(message("[,]"), "expected a value");
    assert_eq!(message("{a: 1}"), "expected a key in double quotes or `}`");
    assert_eq!(message("{\"a\" 1}"), "expected `:` after the key `a`");
    assert_eq!(message("{\"a\":}"), "expected a value");
    assert_eq!(message("[1"), "the document ends before its `]`");
    assert_eq!(message("\"a"), "this string has no end");
    assert_eq!(message("/* a"), "this comment has no end");
    assert_eq!(message("[01]"), "this is not a number");
    assert_eq!(message("[\"\\x\"]"), "this escape means nothing");
    assert_eq!(message("[\"\\ud800\"]"), "this escape means nothing");
    assert_eq!(
        message("{} {}"),
        "there is something after the end of the document"
    );
}

#[test]
fn a_missing_colon_is_found_at_its_key_wherever_the_next_line_begins() {
    let text = "{\n  \"a\"\n}";
    let stop = read(text).unwrap_err();
    assert_eq!(text.get(stop.span.start..stop.span.end), Some("\"a\""));
}

#[test]
fn limits_hold_at_the_limit_and_one_over() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH + 1)).unwrap_err().code, Code::Limit);
    assert_eq!(read(&"[".repeat(MAX_BYTES)).unwrap_err().code, Code::Limit);

    let long = |n: usize| format!("[{}\"\"]", " ".repeat(n - 4));
    assert!(read(&long(MAX_BYTES)).is_ok());
    assert_eq!(read(&long(MAX_BYTES + 1)).unwrap_err().code, Code::Limit);

    let many = |n: usize| format!("[{}]", "1,".repeat(n - 1));
    assert!(read(&many(MAX_TOKENS)).is_ok());
    assert_eq!(read(&many(MAX_TOKENS + 1)).unwrap_err().code, Code::Limit);

    let text = |n: usize| format!("\"{}\"", "a".repeat(n));
    assert!(read(&text(MAX_STRING_BYTES - 1)).is_ok());
    assert_eq!(
        read(&text(MAX_STRING_BYTES + 1)).unwrap_err().code,
        Code::Limit
    );
}

proptest! {
    #[test]
    fn plain_json_reads_as_serde_reads_it(value in arb_json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(json(&read(&text).unwrap()), value);
    }

    #[test]
    fn any_text_is_read_or_refused_inside_itself(text in "[\\[\\]{}:,\"\\\\/* \na-e0-9ü]{0,40}") {
        if let Err(e) = read(&text) {
            prop_assert!(e.span.start <= e.span.end && e.span.end <= text.len());
        }
    }
}

fn arb_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{0,4}", inner, 0..5)
                .prop_map(|m| m.into_iter().collect()),
        ]
    })
}
