//! What is printed of a run.

use std::collections::BTreeMap;

use crate::{case::Case, judge::Verdict, renumbered};

#[derive(Default)]
pub(crate) struct Report {
    /// By suite: passed and total.
    suites: BTreeMap<String, (usize, usize)>,
    failures: Vec<String>,
    /// Those that hold in another form than the one captured.
    excluded: Vec<String>,
    equal: usize,
    different: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Case, verdict: &Verdict) {
        let (passed, total) = self.suites.entry(case.suite.clone()).or_default();
        *total += 1;
        match &verdict.failure {
            None if case.renumbered => self.excluded.push(case.id.clone()),
            None => *passed += 1,
            Some(why) => {
                let why: String = why.chars().take(2_000).collect();
                self.failures.push(format!("{}: {why}", case.id));
            }
        }
        match &verdict.message {
            Some((true, _)) => self.equal += 1,
            Some((false, ours)) => self.different.push(format!("{}: {ours}", case.id)),
            None => {}
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.failures.len()
    }

    pub(crate) fn excluded(&self) -> usize {
        self.excluded.len()
    }

    pub(crate) fn print(&self) {
        for (suite, (passed, total)) in &self.suites {
            println!("{suite}: {passed}/{total}");
        }
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        for id in &self.excluded {
            println!("EXCLUDED {id}: {}", renumbered::RULE);
        }
        for other in &self.different {
            println!("message of {other}");
        }
        let passed: usize = self.suites.values().map(|(passed, _)| passed).sum();
        println!(
            "messages: {} equal, {} different",
            self.equal,
            self.different.len()
        );
        println!(
            "corpus: {passed} passed, {} failed, of them {} excluded by rule",
            self.failures.len() + self.excluded.len(),
            self.excluded.len()
        );
    }
}
