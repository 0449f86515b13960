//! Conditions as anybody would read them, over the few forms that the worlds use:
//! words with blanks between them, texts without blanks.

use policy::{NodeFacts, posture::Value};

/// Does the device meet the condition?
pub(crate) fn holds(text: &str, node: &NodeFacts) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let value = node.posture.get(words[0]);
    let known = words[0].starts_with("node:");
    let text_is =
        |wanted: &str| matches!(value, Some(Value::Text(t)) if *t == wanted.replace('\'', ""));
    match words[1..] {
        [] | ["==", "true"] => value == Some(&Value::Flag(true)),
        ["IS", "SET"] => value.is_some(),
        ["NOT", "SET"] => value.is_none() && known,
        ["==", wanted] => text_is(wanted),
        ["!=", wanted] => value.is_some() && !text_is(wanted),
        [">=", wanted] => match value {
            Some(Value::Text(has)) => numbers(has) >= numbers(wanted),
            _ => false,
        },
        ["IN", a, b] => text_is(in_list(a)) || text_is(in_list(b)),
        ["NOT", "IN", a, b] => value.is_some() && !text_is(in_list(a)) && !text_is(in_list(b)),
        _ => panic!("the worlds have no `{text}`"),
    }
}

fn in_list(word: &str) -> &str {
    word.trim_matches(['[', ']', ','])
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.trim_matches('\'').split('.');
    parts.map(|n| n.parse().unwrap()).collect()
}
