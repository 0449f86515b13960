//! Edits of every capture's policy, where captures are present: what is switched
//! off comes on again byte for byte, members and rules are added and taken out,
//! and everything else stays.

use std::collections::BTreeSet;

use policy::{
    Span, edit,
    edit::Path,
    source::{self, Kind, Value},
};
use serde_json::Value as Json;

use crate::{
    read,
    texts::{self, Text},
};

/// An entry of a section: a rule of a list, a member of a map.
struct Entry {
    path: Path,
    /// From its key, if it has one, to its end.
    span: Span,
    /// Where the entry before it ends, or its section begins.
    before: usize,
    /// Where the entry behind it begins, or its section ends.
    behind: usize,
}

/// The sections that stood in no text before, byte for byte.
fn new_sections<'v>(
    text: &str,
    root: &'v Value,
    seen: &mut BTreeSet<String>,
) -> Vec<&'v source::Member> {
    let Kind::Object(sections) = &root.kind else {
        return Vec::new();
    };
    let written = |m: &source::Member| text[m.key.span.start..m.value.span.end].to_owned();
    let new = sections.iter().filter(|m| seen.insert(written(m)));
    new.collect()
}

/// The entries of these sections, and of the parts of a section that is an object of lists.
fn entries(sections: &[&source::Member]) -> Vec<Entry> {
    let mut all = Vec::new();
    for section in sections {
        let path = Path::new([section.key.text.as_str()]);
        inside(&section.value, &path, &mut all);
        if let Kind::Object(parts) = &section.value.kind {
            for part in parts {
                inside(&part.value, &path.join(part.key.text.as_str()), &mut all);
            }
        }
    }
    all
}

fn inside(container: &Value, path: &Path, all: &mut Vec<Entry>) {
    let spans: Vec<(String, Span)> = match &container.kind {
        Kind::Array(items) => (0..)
            .zip(items)
            .map(|(at, item): (usize, _)| (at.to_string(), item.span))
            .collect(),
        Kind::Object(members) => members
            .iter()
            .map(|m| {
                let span = Span::new(m.key.span.start, m.value.span.end);
                (m.key.text.clone(), span)
            })
            .collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => Vec::new(),
    };
    for (at, (step, span)) in spans.iter().enumerate() {
        let before = at.checked_sub(1).map(|b| spans[b].1.end);
        all.push(Entry {
            path: path.join(step.as_str()),
            span: *span,
            before: before.unwrap_or(container.span.start),
            behind: spans.get(at + 1).map_or(container.span.end, |b| b.1.start),
        });
    }
}

/// What a text says.
fn json(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Number(n) => serde_json::from_str(n).unwrap(),
        Kind::String(s) => s.as_str().into(),
        Kind::Array(items) => items.iter().map(json).collect::<Vec<_>>().into(),
        Kind::Object(members) => members
            .iter()
            .map(|m| (m.key.text.clone(), json(&m.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

fn said(text: &str) -> Json {
    json(&source::read(text).unwrap())
}

/// The value without the entry.
fn without(mut value: Json, path: &Path) -> Json {
    let (parent, step) = path.split_last().unwrap();
    match value.pointer_mut(&parent.to_string()).unwrap() {
        Json::Array(items) => drop(items.remove(step.parse().unwrap())),
        Json::Object(members) => drop(members.remove(step)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => panic!("{path}"),
    }
    value
}

/// True when `long` is `short` with more put in.
fn holds(long: &str, short: &str) -> bool {
    let mut left = long.bytes();
    short.bytes().all(|b| left.any(|other| other == b))
}

/// Only the entry and the commas and blanks beside it may change, and no comment
/// beside it goes.
fn only_around(what: &str, text: &str, new: &str, entry: &Entry, gone: &str) {
    let around = new.starts_with(&text[..entry.before]) && new.ends_with(&text[entry.behind..]);
    assert!(around, "{what}\n{new}");
    for comment in ["// Grüße", "/* kept */", "// → \"{\""] {
        let count = |text: &str| text.matches(comment).count();
        assert_eq!(
            count(new) + count(gone),
            count(text),
            "{what}: {comment}\n{new}"
        );
    }
}

fn off_and_on(text: &Text, value: &Json, entry: &Entry) {
    let what = format!("{} {}", text.name, entry.path);
    let edit = edit::switch_off(&text.text, &entry.path).unwrap();
    let off = edit.apply(&text.text);
    assert_eq!(said(&off), without(value.clone(), &entry.path), "{what}");
    only_around(&what, &text.text, &off, entry, "");
    let at = edit.replacements.first().unwrap().span.start;
    let (parent, _) = entry.path.split_last().unwrap();
    let listed = edit::off_entries(&off, &parent).unwrap();
    let listed = listed.iter().filter(|o| o.span.start == at);
    assert_eq!(listed.count(), 1, "{what}\n{off}");
    let on = edit::switch_on(&off, at).unwrap().apply(&off);
    assert!(on == text.text, "{what}\n{on}");
}

fn removed(text: &Text, value: &Json, entry: &Entry) {
    let what = format!("{} {}", text.name, entry.path);
    let edit = edit::remove(&text.text, &entry.path).unwrap();
    let less = edit.apply(&text.text);
    assert_eq!(said(&less), without(value.clone(), &entry.path), "{what}");
    let gone = &text.text[entry.span.start..entry.span.end];
    only_around(&what, &text.text, &less, entry, gone);
}

/// Adds to the list at `path`, and takes it out again, which gives back every byte.
fn added(text: &Text, value: &Json, path: &Path, new: &str) {
    let what = format!("{} {path}", text.name);
    let more = edit::append(&text.text, path, new)
        .unwrap()
        .apply(&text.text);
    let mut expected = value.clone();
    let list = expected.pointer_mut(&path.to_string()).unwrap();
    let list = list.as_array_mut().unwrap();
    let last = list.len();
    list.push(said(new));
    assert_eq!(said(&more), expected, "{what}");
    assert!(holds(&more, &text.text), "{what}: bytes went\n{more}");
    let less = edit::remove(&more, &path.join(last.to_string())).unwrap();
    assert!(
        less.apply(&more) == text.text,
        "{what}\n{}",
        less.apply(&more)
    );
}

#[test]
fn every_capture_is_edited_without_loss() {
    let Some(cases) = read::cases() else {
        return;
    };
    let (mut toggled, mut members, mut rules) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for text in texts::all(&cases) {
        let root = source::read(&text.text).unwrap();
        let value = json(&root);
        let sections = new_sections(&text.text, &root, &mut seen);
        for entry in entries(&sections) {
            toggled += 1;
            off_and_on(&text, &value, &entry);
            removed(&text, &value, &entry);
        }
        for section in sections.iter().map(|s| s.key.text.as_str()) {
            if let ("groups" | "tagOwners", Some(lists)) = (section, value[section].as_object()) {
                for name in lists.keys() {
                    members += 1;
                    let path = Path::new([section, name]);
                    added(&text, &value, &path, r#""new@example.com""#);
                }
            }
            if value[section].is_array() {
                rules += 1;
                added(&text, &value, &Path::new([section]), RULE);
            }
        }
    }
    println!("{toggled} entries off and on, {members} members and {rules} rules added");
    assert!(toggled > 1_000 && members > 100 && rules > 500);
}

/// Of any section: what it says does not matter to the reader.
const RULE: &str = "{\n  \"action\": \"accept\", // new\n  \"src\": [\"new@example.com\"],\n}";
