//! `tests`: what `acls` and `grants` must and must not allow.

use super::{Keyword, Support, fields, forms, parts};
use crate::{
    diagnostic::Sink,
    document::{Document, assertion::AccessTest},
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
    let fields = fields::read(value, "a test", forms::TESTS, sink)?;
    let find = |name: &str| fields.get(name);
    Some(AccessTest {
        index,
        span: value.span,
        source: parts::word(find("src"), "`src`", sink),
        protocol: parts::word(find("proto"), "`proto`", sink),
        accept: parts::list(find("accept"), "`accept`", sink),
        deny: parts::list(find("deny"), "`deny`", sink),
        attributes: parts::attributes(find("srcPostureAttrs"), sink),
    })
}
