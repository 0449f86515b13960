//! Captures of what Tailscale's service answered, where they are present.
//!
//! The file comes from `POLICY_CORPUS`, else from a folder `shared/policy-corpus`
//! beside a parent folder of the workspace; its README gives the form and the
//! rules of comparison.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test states facts and may stop"
)]

#[path = "corpus/case.rs"]
mod case;
#[path = "corpus/change.rs"]
mod change;
#[path = "corpus/edits.rs"]
mod edits;
#[path = "corpus/ends.rs"]
mod ends;
#[path = "corpus/explanations.rs"]
mod explanations;
#[path = "corpus/filter.rs"]
mod filter;
#[path = "explain/hold.rs"]
mod hold;
#[path = "corpus/judge.rs"]
mod judge;
#[path = "corpus/lints.rs"]
mod lints;
#[path = "corpus/offers.rs"]
mod offers;
#[expect(dead_code, reason = "filters are read by their addresses alone")]
#[path = "law/packet_filter.rs"]
mod packet_filter;
#[path = "corpus/peer_caps.rs"]
mod peer_caps;
#[path = "corpus/read.rs"]
mod read;
#[path = "corpus/renumbered.rs"]
mod renumbered;
#[path = "corpus/report.rs"]
mod report;
#[path = "explain/sent.rs"]
mod sent;
#[path = "corpus/ssh.rs"]
mod ssh;
#[path = "corpus/tenant.rs"]
mod tenant;
#[path = "corpus/texts.rs"]
mod texts;
#[path = "corpus/told.rs"]
mod told;
#[path = "corpus/view.rs"]
mod view;

use report::Report;

#[test]
fn every_capture_holds() {
    let Some(cases) = read::cases() else {
        return;
    };
    let mut report = Report::default();
    for case in &cases {
        report.add(case, &judge::judge(case));
    }
    report.print();
    assert!(!cases.is_empty());
    assert_eq!(report.failed(), 0, "captures failed; see above");
    assert!(
        report.excluded() * 100 <= cases.len(),
        "more than 1 % are excluded"
    );
}

#[test]
fn a_changed_expectation_fails() {
    let Some(cases) = read::cases() else {
        return;
    };
    let (mut unnoticed, mut changed) = (Vec::new(), 0);
    for case in cases.iter().filter(|c| judge::judge(c).failure.is_none()) {
        for (what, other) in change::all(case) {
            changed += 1;
            if judge::judge(&other).failure.is_none() {
                unnoticed.push(format!("{}: {what}", case.id));
            }
        }
    }
    println!(
        "{changed} changed expectations, {} unnoticed",
        unnoticed.len()
    );
    assert_eq!(unnoticed, Vec::<String>::new());
}
