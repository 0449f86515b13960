//! The way from any snapshot that a reader may be at to the newest one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{snapshot::Snapshot, step::Step};

/// The newest snapshot, and the steps that lead to it: one for each snapshot
/// that some reader is still at, made when the first of them asks and shared by
/// all. A reader's cursor is the snapshot it is at; whoever was slow takes one
/// step over all that he missed.
#[derive(Debug)]
pub struct Log {
    newest: Snapshot,
    steps: Mutex<BTreeMap<u64, Arc<Step>>>,
}

impl Log {
    /// A log that ends at `newest`.
    pub fn new(newest: Snapshot) -> Self {
        Self {
            newest,
            steps: Mutex::default(),
        }
    }

    /// Where it ends.
    pub const fn newest(&self) -> &Snapshot {
        &self.newest
    }

    /// The step from a reader's snapshot to the newest; `None` when it is there.
    pub fn step_from(&self, at: &Snapshot) -> Option<Arc<Step>> {
        if at.seq() >= self.newest.seq() {
            return None;
        }
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let step = steps
            .entry(at.seq())
            .or_insert_with(|| Arc::new(Step::between(at.clone(), self.newest.clone())));
        Some(Arc::clone(step))
    }
}
