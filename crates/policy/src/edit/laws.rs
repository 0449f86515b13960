//! Any edit of any document in any formatting.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::source::Kind;

/// What may stand between two tokens; several of them look like entries.
const GAPS: [&str; 14] = [
    "",
    " ",
    "\n",
    "\n\t",
    "\r\n  ",
    " // note\n",
    "/* c */",
    " /* a\n * b */ ",
    "\n  // {\"x\": 1},\n",
    "\n\t// \"y\": 2,\n\t",
    "\n// \"z\"\n//\n",
    "/* off: 1 */",
    "\t/* *\\/ */",
    "\n\n\t\t",
];

fn arb_json() -> impl Strategy<Value = Json> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "-1.5e3",
        r#""a""#,
        r#""b*/ // c""#,
        r#""""#,
    ])
    .prop_map(|t| serde_json::from_str(t).unwrap());
    leaf.prop_recursive(3, 24, 5, |inner| {
        let keys = prop::sample::subsequence(vec!["k", "group:a", "10.0.0.0/8", "~", ""], 0..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            (keys, prop::collection::vec(inner, 4)).prop_map(|(keys, values)| {
                Json::Object(keys.into_iter().map(str::to_owned).zip(values).collect())
            }),
        ]
    })
}

/// Writes a value with the gaps and trailing commas that `choices` names in turn.
struct Writer<'c> {
    choices: &'c [usize],
    next: usize,
    out: String,
}

impl Writer<'_> {
    fn choose(&mut self) -> usize {
        self.next += 1;
        self.choices[self.next % self.choices.len()]
    }

    fn gap(&mut self) {
        let gap = GAPS[self.choose() % GAPS.len()];
        self.out.push_str(gap);
    }

    fn value(&mut self, value: &Json) {
        let (brackets, entries): (_, Vec<(Option<&String>, &Json)>) = match value {
            Json::Array(items) => (['[', ']'], items.iter().map(|i| (None, i)).collect()),
            Json::Object(members) => (
                ['{', '}'],
                members.iter().map(|(k, v)| (Some(k), v)).collect(),
            ),
            scalar => return self.out.push_str(&scalar.to_string()),
        };
        self.out.push(brackets[0]);
        let count = entries.len();
        for (number, (key, value)) in entries.into_iter().enumerate() {
            self.gap();
            if let Some(key) = key {
                self.out.push_str(&Json::from(key.as_str()).to_string());
                self.gap();
                self.out.push(':');
                self.gap();
            }
            self.value(value);
            let trailing = self.choose().is_multiple_of(2);
            if number + 1 < count || trailing {
                if self.choose().is_multiple_of(3) {
                    self.gap();
                }
                self.out.push(',');
            }
        }
        self.gap();
        self.out.push(brackets[1]);
    }
}

prop_compose! {
    fn arb_text()(
        value in arb_json(),
        choices in prop::collection::vec(0_usize..1000, 1..30),
    ) -> String {
        let mut writer = Writer { choices: &choices, next: 0, out: String::new() };
        writer.gap();
        writer.value(&value);
        writer.gap();
        writer.out
    }
}

fn plain(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Number(n) => serde_json::from_str(n).unwrap(),
        Kind::String(s) => s.as_str().into(),
        Kind::Array(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Kind::Object(members) => Json::Object(
            members
                .iter()
                .map(|m| (m.key.text.clone(), plain(&m.value)))
                .collect(),
        ),
    }
}

fn json(text: &str) -> Json {
    plain(&source::read(text).unwrap())
}

/// Every path of the document but the empty one.
fn paths(value: &Json, here: &Path, out: &mut Vec<Path>) {
    let steps: Vec<(String, &Json)> = match value {
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| (i.to_string(), v))
            .collect(),
        Json::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        _ => return,
    };
    for (step, inner) in steps {
        let path = here.join(step);
        out.push(path.clone());
        paths(inner, &path, out);
    }
}

fn all_paths(text: &str) -> Vec<Path> {
    let mut out = Vec::new();
    paths(&json(text), &Path::default(), &mut out);
    out
}

fn take_out(value: &mut Json, path: &Path) {
    let (parent, step) = path.split_last().unwrap();
    match value.pointer_mut(&parent.to_string()).unwrap() {
        Json::Array(items) => drop(items.remove(step.parse().unwrap())),
        Json::Object(members) => drop(members.remove(step)),
        other => panic!("{other}"),
    }
}

/// The bytes that are neither in a string nor in a comment, and the comments.
fn split(text: &str) -> (String, Vec<String>) {
    let (mut code, mut comments) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").unwrap() + 2
        } else if c == '"' {
            source::first_entry(rest, false).unwrap()
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        if c == '/' {
            comments.push(rest[..length].to_owned());
        } else {
            code.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    (code, comments)
}

/// The bytes that an edit takes out.
fn taken<'t>(text: &'t str, edit: &Edit) -> Vec<&'t str> {
    edit.replacements
        .iter()
        .map(|r| &text[r.span.start..r.span.end])
        .collect()
}

const NEW: [&str; 4] = ["7", r#""new""#, "{\n\t\"n\": [] // c\n}", "[/* x */]"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate_cases()))]

    #[test]
    fn off_and_on_gives_back_every_byte(text in arb_text(), pick in any::<prop::sample::Index>()) {
        let all = all_paths(&text);
        prop_assume!(!all.is_empty());
        let path = &all[pick.index(all.len())];
        let edit = switch_off(&text, path).unwrap();
        let off = edit.apply(&text);
        let mut expected = json(&text);
        take_out(&mut expected, path);
        prop_assert_eq!(json(&off), expected, "{}", off);
        let at = edit.replacements[0].span.start;
        let (parent, step) = path.split_last().unwrap();
        let listed = off_entries(&off, &parent).unwrap();
        let listed = listed.iter().find(|o| o.span.start == at);
        prop_assert!(listed.is_some(), "{}", off);
        if let Ok(step) = step.parse::<usize>() && json(&text).pointer(&parent.to_string()).unwrap().is_array() {
            prop_assert_eq!(listed.unwrap().index, step);
        }
        prop_assert_eq!(switch_on(&off, at).unwrap().apply(&off), text);
    }

    #[test]
    fn removing_takes_the_entry_and_no_comment(text in arb_text(), pick in any::<prop::sample::Index>()) {
        let all = all_paths(&text);
        prop_assume!(!all.is_empty());
        let path = &all[pick.index(all.len())];
        let root = read(&text).unwrap();
        let (inside, at) = remove::entry(&text, &root, path).unwrap();
        let span = inside.entries[at].span;
        let edit = remove(&text, path).unwrap();
        let less = edit.apply(&text);
        let mut expected = json(&text);
        take_out(&mut expected, path);
        prop_assert_eq!(json(&less), expected);
        let entry = &text[span.start..span.end];
        for gone in taken(&text, &edit) {
            let around = gone.replacen(entry, "", 1);
            prop_assert!(around.trim_matches([' ', '\t', '\r', '\n', ',']).is_empty(), "{gone}");
        }
        let (_, mut outside) = split(&text[..span.start]);
        outside.extend(split(&text[span.end..]).1);
        prop_assert_eq!(split(&less).1, outside);
    }

    #[test]
    fn setting_changes_the_value_s_own_bytes(text in arb_text(), pick in any::<prop::sample::Index>(), new in prop::sample::select(&NEW[..])) {
        let mut all = all_paths(&text);
        all.push(Path::default());
        let path = &all[pick.index(all.len())];
        let span = path.find(&read(&text).unwrap()).unwrap().span;
        let edit = set(&text, path, new).unwrap();
        prop_assert_eq!(edit.replacements.len(), 1);
        prop_assert_eq!(edit.replacements[0].span, span);
        let mut expected = json(&text);
        *expected.pointer_mut(&path.to_string()).unwrap() = json(new);
        prop_assert_eq!(json(&edit.apply(&text)), expected);
    }

    #[test]
    fn adding_takes_nothing_out(text in arb_text(), pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), new in prop::sample::select(&NEW[..])) {
        let mut all = all_paths(&text);
        all.push(Path::default());
        let path = &all[pick.index(all.len())];
        let mut expected = json(&text);
        let edit = match expected.pointer_mut(&path.to_string()).unwrap() {
            Json::Array(items) => {
                let at = at.index(items.len() + 2);
                if at > items.len() {
                    items.push(json(new));
                    append(&text, path, new).unwrap()
                } else {
                    items.insert(at, json(new));
                    insert(&text, &path.join(at.to_string()), new).unwrap()
                }
            }
            Json::Object(members) => {
                members.insert("fresh".to_owned(), json(new));
                add(&text, path, "fresh", new).unwrap()
            }
            _ => {
                prop_assert!(append(&text, path, new).is_err());
                return Ok(());
            }
        };
        prop_assert!(taken(&text, &edit).concat().is_empty());
        let more = edit.apply(&text);
        prop_assert_eq!(json(&more), expected, "{}", more);
        let put: Vec<&str> = edit.replacements.iter().map(|r| r.text.as_str()).collect();
        let commas = put.iter().filter(|t| **t == ",").count();
        prop_assert!(put.len() - commas == 1 && commas <= 1, "{put:?}");
    }

    #[test]
    fn what_was_switched_off_comes_back_after_other_edits(text in arb_text(), picks in prop::collection::vec(any::<prop::sample::Index>(), 2)) {
        let all = all_paths(&text);
        prop_assume!(!all.is_empty());
        let path = &all[picks[0].index(all.len())];
        let (parent, _) = path.split_last().unwrap();
        let off = switch_off(&text, path).unwrap().apply(&text);
        let others: Vec<Path> = all_paths(&off)
            .into_iter()
            .filter(|p| p.split_last().unwrap().0 == parent)
            .collect();
        prop_assume!(!others.is_empty());
        let other = &others[picks[1].index(others.len())];
        let less = remove(&off, other).unwrap().apply(&off);
        let before = json(&less);
        for entry in off_entries(&less, &parent).unwrap() {
            let on = switch_on(&less, entry.span.start).unwrap().apply(&less);
            let count = |v: &Json| v.pointer(&parent.to_string()).and_then(|v| match v {
                Json::Array(items) => Some(items.len()),
                _ => None,
            });
            prop_assert_eq!(count(&json(&on)), count(&before).map(|n| n + 1), "{}\n{}", less, on);
        }
    }
}

/// Enough for every style; more by `PROPTEST_CASES`.
fn crate_cases() -> u32 {
    ProptestConfig::default().cases.max(256)
}
