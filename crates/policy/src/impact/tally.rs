//! What changes by one line in one state, counted.

use std::collections::BTreeMap;

use super::{
    content::Content,
    outcome::{Beside, Law, Met},
};

/// The most sets of lines that are remembered to have been tried.
const TRIED: usize = 16;

/// By address family, IPv4 first.
pub(super) type PerFamily = [u64; 2];

/// Flows, and where they come from and go to.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// Flows.
    pub(super) flows: u64,
    /// By number of a sender: how many destinations each of it has flows to,
    /// those of its own household too.
    pub(super) from: Vec<(usize, PerFamily)>,
    /// The same by number of a receiver.
    pub(super) to: Vec<(usize, PerFamily)>,
    /// By spot: what is to be added for it.
    pub(super) from_spot: BTreeMap<usize, i64>,
    /// By spot: what is to be added for it.
    pub(super) to_spot: BTreeMap<usize, i64>,
}

/// The changes of a line in one state.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) reach: Reach,
    /// What changes for one flow at least.
    pub(super) content: Option<Content>,
    /// True when for some flow only a part of it changes.
    pub(super) is_partial: bool,
    /// True when for some flow a part of what the line has does not change.
    is_touched: bool,
    /// True when for some flow all that the line has changes.
    is_full: bool,
    /// Sets of lines beside it that have been looked at: none that holds one of
    /// them leaves more.
    tried: Vec<Vec<usize>>,
}

impl Tally {
    /// True when another flow would tell nothing new.
    pub(super) fn is_settled(&self) -> bool {
        self.is_full && self.is_touched
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Notes a flow of which something changes.
    pub(super) fn note(&mut self, law: &Law, line: usize, beside: &Beside, met: &impl Met) {
        if !self.is_touched {
            self.is_touched = beside.is_touched(met);
        }
        if self.is_full || self.tried.iter().any(|tried| beside.has_all(tried, met)) {
            return;
        }
        let others = beside.touched(met);
        let Some(rest) = law.rest(line, &others) else {
            return;
        };
        match &mut self.content {
            Some(all) => all.add(&rest),
            None => self.content = Some(rest),
        }
        if others.is_empty() {
            self.is_full = true;
            self.tried.clear();
        }
        if self.tried.len() < TRIED {
            self.tried.push(others);
        }
    }

    /// Whether some flow changes in a part alone; `None`: each must be looked at.
    pub(super) fn settle(&mut self, law: &Law, line: usize) -> Option<bool> {
        let is_all = self.content.as_ref() == law.content(line);
        let known = (is_all || !self.is_touched).then_some(self.is_touched);
        self.is_partial = known.unwrap_or_default();
        known
    }
}
