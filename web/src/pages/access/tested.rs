//! Has the server run a draft's own tests while it is typed.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};

use super::super::scope::Scope;
use crate::{
    api,
    model::policy_editor::{Judgement, Tests},
};

/// Asks for one draft at a time: the newest, as soon as the last answer is there.
#[derive(Clone, Copy)]
pub(super) struct Tester {
    judgement: RwSignal<Arc<Judgement>>,
    is_busy: StoredValue<bool>,
    scope: Scope,
}

impl Tester {
    /// Completes this judgement.
    pub(super) fn new(judgement: RwSignal<Arc<Judgement>>) -> Self {
        Self {
            judgement,
            is_busy: StoredValue::new(false),
            scope: Scope::expect(),
        }
    }

    /// Runs the tests of the newest judgement, if it waits for them.
    pub(super) fn run(self) {
        if self.is_busy.get_value() {
            return;
        }
        self.is_busy.set_value(true);
        spawn_local(async move {
            while let Some(asked) = self.waiting() {
                let answer = api::policy::check(self.scope.tenant(), asked.text.clone()).await;
                let answer = answer.map_err(|failure| failure.title());
                let completed = asked.completed(answer);
                let is_newest = self
                    .judgement
                    .try_with_untracked(|now| Arc::ptr_eq(now, &asked));
                if is_newest == Some(true) {
                    let _ = self.judgement.try_set(Arc::new(completed));
                }
            }
            let _ = self.is_busy.try_set_value(false);
        });
    }

    fn waiting(self) -> Option<Arc<Judgement>> {
        let now = self.judgement.try_get_untracked()?;
        (now.tests == Tests::Waiting).then_some(now)
    }
}
