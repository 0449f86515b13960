//! What the captures do not hold, in small cases: a policy, and what follows from
//! it for one small tenant. Each case names the public page its rule comes from.
//! `tests/table/README.md` tells the form.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test states facts and may stop"
)]

#[path = "table/case.rs"]
mod case;
#[path = "table/expect.rs"]
mod expect;
#[path = "corpus/filter.rs"]
mod filter;
#[path = "law/packet_filter.rs"]
mod packet_filter;
#[path = "table/standing.rs"]
mod standing;
#[path = "table/tenant.rs"]
mod tenant;

use std::path::Path;

/// Fewer cases than this are a mistake.
const AT_LEAST: usize = 680;

#[test]
fn every_case_of_the_table_holds() {
    let mut failed = Vec::new();
    let mut total = 0;
    for (area, text) in areas() {
        let cases = case::read(&area, &text);
        println!("{area}: {} cases", cases.len());
        total += cases.len();
        for case in cases {
            if let Err(why) = expect::judge(&case) {
                failed.push(format!("{area}: {}: {why}", case.says));
            }
        }
    }
    println!(
        "table: {} passed, {} failed",
        total - failed.len(),
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(total >= AT_LEAST, "{total} cases");
}

/// A case whose expectation is turned around must fail: the table cannot pass by looking away.
#[test]
fn no_case_holds_with_another_expectation() {
    for (area, text) in areas() {
        for case in case::read(&area, &text) {
            for other in case.distorted() {
                assert!(
                    expect::judge(&other).is_err(),
                    "{area}: {}: holds with {:?}",
                    case.says,
                    other.expect
                );
            }
        }
    }
}

#[test]
fn every_case_says_one_thing_and_names_its_page() {
    let mut seen = std::collections::BTreeSet::new();
    for (area, text) in areas() {
        for case in case::read(&area, &text) {
            assert!(case.page.starts_with("https://"), "{area}: {}", case.says);
            assert!(!case.expect.is_empty(), "{area}: {}", case.says);
            assert!(seen.insert(case.says.clone()), "twice: {}", case.says);
        }
    }
}

/// The files of the table, by name.
fn areas() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/table");
    let mut areas: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "hujson"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    areas.sort();
    areas
}
