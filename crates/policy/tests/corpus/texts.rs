//! The captures' policies as texts in several layouts.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::case::Case;

/// A policy's text and where it comes from.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every policy once, as it is, on one line, and with comments around every line.
pub(crate) fn all(cases: &[Case]) -> Vec<Text> {
    let mut seen = BTreeSet::new();
    let new = cases.iter().filter(|case| seen.insert(&case.policy));
    new.flat_map(|case| {
        let name = |layout| format!("{} {layout}", case.id);
        let value: Json = serde_json::from_str(&case.policy).unwrap();
        [
            ("as it is", case.policy.clone()),
            ("on one line", value.to_string()),
            (
                "with comments",
                commented(&serde_json::to_string_pretty(&value).unwrap()),
            ),
        ]
        .map(|(layout, text)| Text {
            name: name(layout),
            text,
        })
    })
    .collect()
}

/// With a comment above, before and behind lines, some of which look like entries,
/// and a comma behind the last entry of every array and object.
fn commented(text: &str) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let above = match number % 5 {
            1 => format!("{indent}// Grüße: {number}, \"no\": [entry]\n"),
            3 => format!("{indent}/* {number} **/\n"),
            _ => String::new(),
        };
        out.push_str(&above);
        out.push_str(line);
        let closes = |l: &&str| l.trim_start().starts_with([']', '}']);
        let is_last = lines.get(number + 1).is_some_and(closes);
        if is_last && !line.ends_with(['[', '{', ',']) {
            out.push(',');
        }
        out.push_str(match number % 3 {
            0 => " // → \"{\" ",
            1 => "",
            _ => " /* kept */",
        });
        out.push('\n');
    }
    out
}
