//! `sshTests`: what `ssh` must and must not allow.

use super::{Keyword, Support, fields, forms, parts};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, assertion::SshTest},
    source::Value,
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "sshTests",
    summary: "What `ssh` must and must not allow; a policy that fails them is refused.",
    example: r#"[{ "src": "ada@example.com", "dst": ["ada@example.com"], "accept": ["ada"], "deny": ["root"] }]"#,
    form: forms::SSH_TESTS,
    support: Support::Read(read),
};

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let tests = parts::entries(value, "`sshTests`", sink);
    document
        .ssh_tests
        .extend(tests.filter_map(|(index, item)| test(index, item, sink)));
}

fn test(index: usize, value: &Value, sink: &mut Sink) -> Option<SshTest> {
    let fields = fields::read(value, "an SSH test", forms::SSH_TESTS, sink)?;
    let find = |name: &str| fields.get(name);
    let test = SshTest {
        index,
        span: value.span,
        source: parts::word(find("src"), "`src`", sink),
        destinations: parts::list(find("dst"), "`dst`", sink),
        accept: parts::list(find("accept"), "`accept`", sink),
        check: parts::list(find("check"), "`check`", sink),
        deny: parts::list(find("deny"), "`deny`", sink),
        attributes: parts::attributes(find("srcPostureAttrs"), sink),
    };
    if test.source.is_none() {
        sink.error(
            Code::MissingKey,
            find("src").map_or(value.span, |v| v.span),
            "SSH tests entry must have a non-empty src",
        )
        .help("name a user, a group, a tag or a host");
    }
    if test.destinations.is_empty() {
        sink.error(
            Code::MissingKey,
            find("dst").map_or(value.span, |v| v.span),
            "SSH tests entry must have at least one dst",
        )
        .help("name tags, users or hosts");
    }
    Some(test)
}
