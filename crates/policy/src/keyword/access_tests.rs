//! `tests`: what `acls` and `grants` must and must not allow.

use super::{Keyword, Support, forms, parts};
use crate::{
    diagnostic::Sink,
    document::{Document, assertion::AccessTest},
    shape,
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "tests",
    summary: "What `acls` and `grants` must and must not allow; a policy that fails them is refused.",
    example: r#"[{ "src": "ada@example.com", "accept": ["192.168.7.20:22"], "deny": ["192.168.7.20:25"] }]"#,
    form: forms::TESTS,
    support: Support::Read(read),
};

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let tests = parts::entries(value, "`tests`", sink);
    document
        .tests
        .extend(tests.filter_map(|(index, item)| test(index, item, sink)));
}

fn test(index: usize, value: &Value, sink: &mut Sink) -> Option<AccessTest> {
    let members = shape::members(value, "a test", sink)?;
    parts::known_keys(&members, &forms::TESTS, "a test", sink);
    let find = |name: &str, older: &str| {
        parts::find(&members, name).or_else(|| parts::find(&members, older))
    };
    Some(AccessTest {
        index,
        span: value.span,
        source: parts::word(find("src", "user"), "`src`", sink),
        protocol: parts::word(find("proto", "proto"), "`proto`", sink),
        accept: parts::list(find("accept", "allow"), "`accept`", sink),
        deny: parts::list(find("deny", "deny"), "`deny`", sink),
        attributes: parts::attributes(find("srcPostureAttrs", "srcPostureAttrs"), sink),
    })
}
