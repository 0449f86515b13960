//! Any document: an entry switched off and on gives back every byte, and
//! whatever is added, set or removed leaves a document that can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{
    edit::{self, Edit, EditError, Path},
    source::{self, Kind, Value},
};

/// Some of the paths of a document.
fn paths(root: &Value) -> Vec<Path> {
    let mut out = vec![Path::default()];
    let mut left = vec![(Path::default(), root)];
    while let (Some((path, value)), true) = (left.pop(), out.len() < 200) {
        let steps: Vec<(String, &Value)> = match &value.kind {
            Kind::Array(items) => (0..).map(|n: usize| n.to_string()).zip(items).collect(),
            Kind::Object(members) => members.iter().map(|m| (m.key.text.clone(), &m.value)).collect(),
            _ => continue,
        };
        for (step, inner) in steps {
            let path = path.join(step);
            out.push(path.clone());
            left.push((path, inner));
        }
    }
    out
}

fn stays_readable(text: &str, edit: Result<Edit, EditError>) {
    if let Ok(edit) = edit {
        assert!(source::read(&edit.apply(text)).is_ok());
    }
}

fuzz_target!(|input: (u8, String)| {
    let (pick, text) = input;
    let Ok(root) = source::read(&text) else {
        return;
    };
    let paths = paths(&root);
    let path = &paths[usize::from(pick) % paths.len()];
    match edit::switch_off(&text, path) {
        Ok(off) => {
            let at = off.replacements[0].span.start;
            let dark = off.apply(&text);
            let on = edit::switch_on(&dark, at).expect("what is switched off can be switched on");
            assert_eq!(on.apply(&dark), text);
        }
        Err(EditError::Root | EditError::Result(_)) => {}
        Err(other) => panic!("{other}"),
    }
    for off in edit::off_entries(&text, path).unwrap_or_default() {
        match edit::switch_on(&text, off.span.start) {
            Ok(_) | Err(EditError::Result(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    stays_readable(&text, edit::append(&text, path, "{\n\"n\": 1 // c\n}"));
    stays_readable(&text, edit::insert(&text, path, "\"n\""));
    stays_readable(&text, edit::add(&text, path, "a key", "[]"));
    stays_readable(&text, edit::set(&text, path, "[\n]"));
    stays_readable(&text, edit::remove(&text, path));
    for at in [usize::from(pick), text.len() / 2, text.len()] {
        let _ = policy::complete::complete(&text, at, &policy::Directory::default());
        let _ = policy::hover::hover(&text, at, &policy::Directory::default());
    }
    let _ = policy::lint::lint(&text, &policy::Directory::default());
});
