use super::*;
use crate::{keyword::Keyword, source};

/// The part of JSON schema that [`schema`] uses, read naively.
fn fits(schema: &Json, value: &Json) -> bool {
    let kind = match schema["type"].as_str() {
        None => true,
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{other}"),
    };
    let matches = |pattern: &Json, text: &str| {
        let prefixes = pattern.as_str().unwrap().trim_start_matches("^(");
        prefixes
            .trim_end_matches(')')
            .split('|')
            .any(|p| text.starts_with(p))
    };
    let text = value.as_str().is_none_or(|text| {
        let one = schema["enum"]
            .as_array()
            .is_none_or(|all| all.contains(value));
        one && schema.get("pattern").is_none_or(|p| matches(p, text))
    });
    let items = value.as_array().is_none_or(|items| {
        schema
            .get("items")
            .is_none_or(|s| items.iter().all(|i| fits(s, i)))
    });
    let members = value.as_object().is_none_or(|members| {
        members.iter().all(|(key, inner)| {
            let name = schema.pointer("/propertyNames/pattern");
            let named = name.is_none_or(|p| matches(p, key));
            let known = schema["properties"]
                .get(key)
                .or(schema.get("additionalProperties"));
            named && known.is_none_or(|s| *s != Json::Bool(false) && fits(s, inner))
        })
    });
    let required = schema["required"].as_array().is_none_or(|all| {
        all.iter()
            .all(|key| value.get(key.as_str().unwrap()).is_some())
    });
    let any = schema["anyOf"]
        .as_array()
        .is_none_or(|all| all.iter().any(|s| fits(s, value)));
    let all = schema["allOf"]
        .as_array()
        .is_none_or(|all| all.iter().all(|s| fits(s, value)));
    kind && text && items && members && required && any && all
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_starter_policy_and_the_examples_fit_the_schema() {
    let schema = json(&schema());
    let examples: Map<String, Json> = KEYWORDS
        .iter()
        .filter(|k| k.is_supported() && k.example != "null")
        .map(|k| (k.name.to_owned(), json(k.example)))
        .collect();
    assert!(fits(&schema, &examples.into()));
    let bare: String = crate::STARTER
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let bare = bare.replace('\t', "").replace(",}", "}").replace(",]", "]");
    assert!(fits(&schema, &json(&bare)));
}

#[test]
fn what_the_parser_refuses_by_form_does_not_fit() {
    let schema = json(&schema());
    for refused in [
        r#"{"acl": []}"#,
        r#"{"acls": {}}"#,
        r#"{"acls": [{"action": "deny", "src": [], "dst": []}]}"#,
        r#"{"acls": [{"src": [], "dst": []}]}"#,
        r#"{"acls": [{"action": "accept", "src": "*", "dst": []}]}"#,
        r#"{"groups": {"ops": []}}"#,
        "[]",
    ] {
        assert!(crate::has_errors(&crate::parse(refused).1), "{refused}");
        assert!(!fits(&schema, &json(refused)), "{refused}");
    }
}

/// Every form, with the examples of what has it.
fn examples() -> Vec<(String, Form, &'static str)> {
    fn walk(name: &str, form: Form, out: &mut Vec<(String, Form, &'static str)>) {
        match form {
            Form::List(inner) | Form::Map(_, inner) => walk(name, *inner, out),
            Form::Object(fields) => {
                for field in fields {
                    let name = format!("{name}.{}", field.name);
                    out.push((name.clone(), field.form, field.example));
                    walk(&name, field.form, out);
                }
            }
            Form::Boolean
            | Form::Text(_)
            | Form::OneOf(_)
            | Form::Name(_)
            | Form::Target(_)
            | Form::Any => {}
        }
    }
    let mut out = Vec::new();
    for Keyword {
        name,
        form,
        example,
        ..
    } in KEYWORDS
    {
        // `null` says what leaving the key out says.
        if !example.is_empty() && *example != "null" {
            out.push(((*name).to_owned(), *form, *example));
        }
        walk(name, *form, &mut out);
    }
    out
}

#[test]
fn every_example_of_the_table_has_its_form() {
    for (name, form, example) in examples() {
        assert!(source::read(example).is_ok(), "{name}: {example}");
        assert!(fits(&of(&form), &json(example)), "{name}: {example}");
    }
}
