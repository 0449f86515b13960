//! `docs/logging.md`: the fields of log lines, and that no line uses another.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use super::hold;

/// Every field, and what it means.
const FIELDS: &[(&str, &str)] = &[
    ("account.id", "the person who asks, once he is known"),
    ("asked", "the control request that failed"),
    ("count", "how many things the line is about"),
    (
        "duration_ms",
        "how long the request took to its answer's head",
    ),
    ("error", "the whole chain of causes"),
    ("files", "how many files and sockets the process may hold"),
    ("machine", "the first digits of the machine key"),
    ("method", "the HTTP method"),
    ("names", "the names of a certificate"),
    ("node.id", "a machine"),
    ("peer", "the first digits of a node key"),
    ("problem.code", "the code of the problem that was answered"),
    (
        "reason",
        "why global rows are touched, or a node is removed",
    ),
    (
        "remote",
        "the other end of a TCP connection; only at `debug`",
    ),
    (
        "request.id",
        "the request; the answer carries it as `x-request-id`",
    ),
    ("revision", "the number of a policy revision"),
    ("route", "the template of the path, never the path itself"),
    ("status", "the HTTP status"),
    ("tenant.id", "a tenant; only for its members' requests"),
    ("url", "the public URL of the server"),
    ("version", "the release"),
];

const HEAD: &str = "\
# Logs of `warren-server`

<!-- Written by the code: server/src/tests/documents/logging.rs. Renew with `make accept`. -->

One line an event, on standard error; `log.format` makes it `text` for people or `json`, one
object a line, for programs. `log.filter` or `--log` chooses how much.

| level | who needs it |
|---|---|
| `error` | somebody must act |
| `warn` | something is degraded but stands |
| `info` | what an operator wants to know: start, stop, one line a request (`http.response`) |
| `debug` | a branch that was taken; addresses of users appear from here on |
| `trace` | every step |

Never in a log, at any level: keys, tokens, links, cookies, policy documents. A test signs in,
makes keys and joins machines with every level on, and looks for them.

The same field means the same everywhere:

| field | meaning |
|---|---|
";

#[test]
fn every_field_of_the_log_is_documented() {
    let known: BTreeSet<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    let mut unknown = BTreeSet::new();
    each_source(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut |text| {
            for field in fields(text) {
                if !known.contains(field.as_str()) {
                    unknown.insert(field);
                }
            }
        },
    );
    assert!(unknown.is_empty(), "not in the list of fields: {unknown:?}");
    let mut out = HEAD.to_owned();
    for (name, meaning) in FIELDS {
        writeln!(out, "| `{name}` | {meaning} |").unwrap();
    }
    hold("logging.md", &out);
}

fn each_source(dir: &Path, see: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let is_test = path.file_stem().is_some_and(|s| s == "tests");
        if path.is_dir() && !is_test {
            each_source(&path, see);
        } else if path.extension().is_some_and(|e| e == "rs") && !is_test {
            see(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The fields of every event and span in a file.
fn fields(source: &str) -> Vec<String> {
    let mut out = Vec::new();
    for call in source.split("tracing::").skip(1) {
        let Some((name, rest)) = call.split_once("!(") else {
            continue;
        };
        let levels = ["error", "warn", "info", "debug", "trace", "info_span"];
        if !levels.contains(&name) {
            continue;
        }
        for part in arguments(rest) {
            let part = part.trim();
            let field = part.split_once(" = ").map_or(part, |(name, _)| name);
            let field = field.trim_start_matches(['%', '?']);
            let is_name = |c: char| c.is_ascii_lowercase() || c == '.' || c == '_';
            if !field.is_empty() && field.chars().all(is_name) {
                out.push(field.to_owned());
            }
        }
    }
    out
}

/// The arguments of a call, without its closing bracket.
fn arguments(rest: &str) -> Vec<String> {
    let (mut out, mut depth, mut quoted, mut last) = (vec![String::new()], 0, false, ' ');
    for c in rest.chars() {
        match c {
            '"' if last != '\\' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => break,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(String::new());
                last = c;
                continue;
            }
            _ => {}
        }
        last = c;
        out.last_mut().unwrap().push(c);
    }
    out
}

#[test]
fn fields_are_found_in_calls() {
    let source = r#"tracing::warn!(tenant.id = %id, %error, "a, b = {c}"); tracing::info!("x")"#;
    assert_eq!(fields(source), ["tenant.id", "error"]);
}
