//! One act of a person on its way to the server: busy, refused, done.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
};

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{Failure, Result},
    query::{Cache, Topic},
    session::Session,
};

/// An act; it leaves what is to be done when it worked.
type Work = Pin<Box<dyn Future<Output = Result<Box<dyn FnOnce()>>>>>;
/// Takes a failure for itself, or hands it on to be shown.
type Refused = Box<dyn FnOnce(Failure) -> Option<Failure>>;

/// The state of a form or a button that changes something.
#[derive(Clone, Copy)]
pub(crate) struct Submit {
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    /// What is wrong with fields before anything is sent.
    amiss: RwSignal<BTreeMap<&'static str, String>>,
    /// The fields that say what is wrong with them.
    fields: StoredValue<BTreeSet<&'static str>>,
    cache: Cache,
    session: Session,
}

impl Submit {
    /// Nothing is on its way.
    pub(crate) fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            amiss: RwSignal::new(BTreeMap::new()),
            fields: StoredValue::new(BTreeSet::new()),
            cache: expect_context(),
            session: Session::expect(),
        }
    }

    /// True while the server has not answered.
    pub(crate) fn busy(self) -> Signal<bool> {
        self.busy.into()
    }

    /// Why it was refused the last time, unless its fields say all of it.
    pub(crate) fn failure(self) -> Signal<Option<Failure>> {
        Signal::derive(move || {
            let failure = self.failure.get()?;
            let is_said = self
                .fields
                .with_value(|fields| failure.lies_in_fields(fields));
            (!is_said).then_some(failure)
        })
    }

    /// Forgets the refusal.
    pub(crate) fn reset(self) {
        self.failure.set(None);
        self.amiss.update(BTreeMap::clear);
    }

    /// What a field holds; what is wrong with it is shown there.
    pub(crate) fn check<T>(
        self,
        pointer: &'static str,
        read: std::result::Result<T, String>,
    ) -> Option<T> {
        self.amiss.update(|amiss| {
            amiss.remove(pointer);
        });
        match read {
            Ok(read) => Some(read),
            Err(wrong) => {
                self.amiss.update(|amiss| {
                    amiss.insert(pointer, wrong);
                });
                None
            }
        }
    }

    /// What is wrong with the field at a JSON pointer, until it is corrected.
    pub(crate) fn field(
        self,
        pointer: &'static str,
        value: RwSignal<String>,
    ) -> Signal<Option<String>> {
        self.fields.update_value(|fields| {
            fields.insert(pointer);
        });
        let refused = Memo::new(move |_| {
            let own = self.amiss.with(|amiss| amiss.get(pointer).cloned());
            let failure = self
                .failure
                .with(|failure| failure.as_ref().and_then(|f| f.field(pointer)));
            Some((own.or(failure)?, value.get_untracked()))
        });
        Signal::derive(move || {
            let (wrong, of) = refused.get()?;
            value.with(|now| *now == of).then_some(wrong)
        })
    }

    /// Runs `work` unless it runs already; on success makes `stale` stale and calls `done`.
    pub(crate) fn run<T: 'static>(
        self,
        stale: &'static [Topic],
        work: impl Future<Output = Result<T>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.run_or(stale, work, done, Some);
    }

    /// Like [`Self::run`]; `refused` may take a failure for itself.
    pub(crate) fn run_or<T: 'static>(
        self,
        stale: &'static [Topic],
        work: impl Future<Output = Result<T>> + 'static,
        done: impl FnOnce(T) + 'static,
        refused: impl FnOnce(Failure) -> Option<Failure> + 'static,
    ) {
        let work = async move {
            let answer = work.await?;
            Ok(Box::new(move || done(answer)) as Box<dyn FnOnce()>)
        };
        self.drive(stale, Box::pin(work), Box::new(refused));
    }

    /// Not generic: it is compiled once for all forms.
    fn drive(self, stale: &'static [Topic], work: Work, refused: Refused) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = work.await;
            let _ = self.busy.try_set(false);
            match answer {
                Ok(done) => {
                    for topic in stale {
                        self.cache.stale(*topic);
                    }
                    done();
                }
                Err(failure) if failure.is_unauthenticated() => self.session.ended(),
                Err(failure) => {
                    let _ = self.failure.try_set(refused(failure));
                }
            }
        });
    }
}
