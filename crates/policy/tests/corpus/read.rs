//! Finds and reads the captures.

use std::{io::Read as _, path::PathBuf};

use serde_json::Value;

use crate::{case::Case, renumbered};

/// Every capture; `None`, said loudly, when there are none here.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let Some(path) = path() else {
        println!("==================================================================");
        println!("SKIPPED: no policy captures here; set POLICY_CORPUS to cases.jsonl.zst");
        println!("==================================================================");
        return None;
    };
    let mut text = String::new();
    zstd::Decoder::new(std::fs::File::open(path).unwrap())
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    Some(lines.map(case).collect())
}

fn case(line: &str) -> Case {
    let mut value: Value = serde_json::from_str(line).unwrap();
    let renumbered = renumbered::restore(&mut value);
    let mut case: Case = serde_json::from_value(value).unwrap();
    case.renumbered = renumbered;
    case
}

fn path() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is told where the captures are"
    )]
    let named = std::env::var("POLICY_CORPUS").ok().map(PathBuf::from);
    named.or_else(|| {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut beside = here
            .ancestors()
            .map(|d| d.join("shared/policy-corpus/cases.jsonl.zst"));
        beside.find(|p| p.exists())
    })
}
