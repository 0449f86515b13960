//! `docs/policy-language.md`, from the keyword table. A stale one fails; `make accept` renews it.

use std::{fmt::Write as _, path::Path};

use policy::{
    keyword::{
        KEYWORDS, Keyword,
        form::{Field, Form, Need},
    },
    posture::attribute::{KNOWN, Known},
    selector::autogroup::Autogroup,
};

const HEAD: &str = "\
# The policy language

<!-- Written by the code: crates/policy/src/keyword.rs and the files below it. Renew with `make accept`. -->

A policy is one JSON object; `//` and `/* */` comments and trailing commas are allowed and kept.
What no rule allows is denied. The parser, completion, hover texts, the JSON schema
(`/policy.schema.json` on every server) and this page are made from one table.

A key that the language does not have is an error, with the nearest one that it has. A key
that is known and not acted on yet is named in a finding. Where it would narrow a rule, that
rule allows nothing.

## Selectors

| written | selects |
|---|---|
| `*` | everything |
| `ada@example.com` | the devices of a user |
| `user:*@example.com` | the devices of all users of a domain of the tenant |
| `group:ops` | the devices of the users of a group |
| `group:ops@okta` | the same of a group of an identity provider, by the connection or a domain of it |
| `tag:server` | the nodes with a tag |
| `printer` | a name of `hosts` |
| `10.0.0.7`, `10.0.0.0/8`, `10.0.0.7-10.0.0.9`, `fd00::/64` | an address, a prefix or a range |
| `ipset:prod` | a set of `ipsets` |
| `svc:wiki` | a service |
";

fn document() -> Result<String, std::fmt::Error> {
    let mut out = HEAD.to_owned();
    for group in Autogroup::ALL {
        writeln!(out, "| `{}` | {} |", group.as_str(), group.summary())?;
    }
    out.push_str(
        "\nIn `dst` of `acls` and in `tests`, ports follow after a colon: `tag:server:22,443`, `*:*`,\n\
         `[fd00::7]:8000-8999`.\n",
    );
    let (acted_on, planned): (Vec<&Keyword>, Vec<&Keyword>) =
        KEYWORDS.iter().partition(|k| k.is_supported());
    for keyword in acted_on {
        write!(out, "\n## `{}`\n\n{}\n", keyword.name, keyword.summary)?;
        describe(&keyword.form, keyword.example, &mut out)?;
        if keyword.name == "postures" {
            conditions(&mut out)?;
        }
    }
    if !planned.is_empty() {
        out.push_str("\n## Known, and refused until something acts on them\n\n");
        for keyword in planned {
            writeln!(out, "- `{}`: {}", keyword.name, keyword.summary)?;
        }
    }
    Ok(out)
}

const CONDITIONS: &str = "
A condition is an attribute, an operator and a value; an attribute alone must be true. Texts and versions stand in quotes.

| operator | holds for a device that has the attribute, and |
|---|---|
| `==`, `!=` | its value is the one written, or another |
| `<`, `<=`, `>`, `>=` | its value comes before or after it: numbers, and the versions of `node:osVersion` and `node:tsVersion` |
| `IN [...]`, `NOT IN [...]` | its value is one of those written, or none of them |
| `IS SET`, `NOT SET` | nothing else; `NOT SET` holds for a device that does not have it |

Versions are compared field by field, numbers as numbers; `1.80` comes before `1.80.0`. A value of another kind than the
one written meets nothing.

Hosts behind routers have no attributes and are not asked, neither by `srcPosture` nor by `defaultSrcPosture`: a rule that
names their addresses lets them through, as the service does
([device posture](https://tailscale.com/docs/features/device-posture#posture-conditions)). To ask everybody, name no
addresses behind routers as sources, nor `*`.

| attribute | what | for example |
|---|---|---|
";

/// What conditions may ask.
fn conditions(out: &mut String) -> std::fmt::Result {
    out.push_str(CONDITIONS);
    for known in KNOWN {
        let missing = if known.is_reported {
            ""
        } else {
            " This server does not learn it of any device yet: nobody meets a condition on it."
        };
        let Known {
            name,
            summary,
            example,
            ..
        } = known;
        writeln!(out, "| `{name}` | {summary}{missing} | `{example}` |")?;
    }
    out.push_str(
        "| `custom:…`, and those of tools that look after devices | Set by an administrator or a tool. This server does \
         not learn them of any device yet: nobody meets a condition on them. | `custom:tier == 'prod'` |\n",
    );
    Ok(())
}

/// The innermost object with fixed keys, and how it is reached.
fn fields(form: &Form) -> Option<(&'static str, &'static [Field])> {
    match form {
        Form::Object(fields) => Some(("An object:", fields)),
        Form::List(inner) => {
            let (_, fields) = fields(inner)?;
            Some(("An array of objects:", fields))
        }
        Form::Boolean
        | Form::Text(_)
        | Form::OneOf(_)
        | Form::Name(_)
        | Form::Target(_)
        | Form::Map(..)
        | Form::Any => None,
    }
}

fn describe(form: &Form, example: &str, out: &mut String) -> std::fmt::Result {
    if let Some((what, fields)) = fields(form) {
        write!(
            out,
            "\n{what}\n\n| key | | what | value | for example |\n|---|---|---|---|---|\n"
        )?;
        for field in fields {
            let need = match field.need {
                Need::Required => "needed".to_owned(),
                Need::Optional => String::new(),
                Need::Spells(newer) => format!("older for `{newer}`"),
            };
            let Field {
                name,
                summary,
                form,
                example,
                ..
            } = field;
            let form = form.label();
            writeln!(
                out,
                "| `{name}` | {need} | {summary} | {form} | `{example}` |"
            )?;
        }
    } else {
        let label = form.label();
        writeln!(out, "\nValue: {label}.")?;
    }
    if !example.is_empty() {
        write!(out, "\n```jsonc\n{example}\n```\n")?;
    }
    Ok(())
}

#[test]
fn the_page_of_the_language_tells_what_the_table_tells() {
    let text = document().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-language.md");
    if accepts() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/policy-language.md is stale: `make accept` renews it"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the person who accepts says so by the environment"
)]
fn accepts() -> bool {
    std::env::var("WARREN_ACCEPT").is_ok()
}
