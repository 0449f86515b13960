//! `docs/http-errors.md`, from the closed list of problem codes.

use std::fmt::Write as _;

use wire::api::problem::Code;

use super::hold;

const SOURCE: &str = include_str!("../../../../crates/wire/src/api/problem.rs");

const HEAD: &str = "\
# Errors of the API

<!-- Written by the code: crates/wire/src/api/problem.rs. Renew with `make accept`. -->

Every refusal is an RFC 9457 problem, `application/problem+json`:

| member | meaning |
|---|---|
| `type` | `/problems/CODE` |
| `title` | the code's sentence |
| `status` | the HTTP status |
| `detail` | what was wrong here, and what to do |
| `code` | one of the list below; it is closed, and codes are never given another meaning |
| `request_id` | to be quoted to the operator, who finds the request by it in the log |
| `errors` | for `invalid`: `[{pointer, detail}]`, a JSON pointer to each refused field |
| `diagnostics` | for `policy_invalid`: each finding with line, column and byte span |

What is not there and what is not yours to know answer alike, with `not_found`. A 5xx never
tells its cause; the log does. `too_many` and `unavailable` say in `Retry-After` how long to wait.

| code | status | sentence | when |
|---|---|---|---|
";

/// The doc comment of a variant.
fn when(code: Code) -> String {
    let variant = format!("{code:?} = ");
    let mut docs = Vec::new();
    for line in SOURCE.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some(text) => docs.push(text.trim()),
            None if line.starts_with(&variant) => return docs.join(" "),
            None => docs.clear(),
        }
    }
    panic!("{code:?} is not documented")
}

#[test]
fn every_problem_code_is_documented() {
    let mut out = HEAD.to_owned();
    for code in Code::ALL {
        writeln!(
            out,
            "| `{code}` | {} | {} | {} |",
            code.status(),
            code.title(),
            when(*code)
        )
        .unwrap();
    }
    hold("http-errors.md", &out);
}
