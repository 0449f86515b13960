//! The policy as it is being edited.

use std::{sync::Arc, time::Duration};

use ::policy::Directory;
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use wire::{
    Timestamp,
    api::{
        policy::{Diagnostic, Policy},
        user::User,
    },
};

use super::{super::scope::Scope, tested::Tester};
use crate::{
    clock,
    components::code_area::CodeControl,
    model::policy_editor::{Judgement, assist, count, directory, judge, marks},
    unsaved::{Drafts, Unsaved},
};

/// How long the keys must rest before the draft is judged.
const PAUSE: Duration = Duration::from_millis(150);

/// The draft, the revision it comes from, and the judgement.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    /// The revision it was edited from.
    base: RwSignal<Arc<Policy>>,
    /// The revision in force, as far as the console knows.
    newest: Signal<Arc<Policy>>,
    text: RwSignal<String>,
    judgement: RwSignal<Arc<Judgement>>,
    /// The members, once they are known.
    people: Memo<Option<Arc<Directory>>>,
    tester: Tester,
    control: StoredValue<CodeControl>,
    /// When it was edited last, if it is from an earlier visit of the page.
    restored: RwSignal<Option<Timestamp>>,
    may_save: bool,
}

impl Draft {
    /// Starts from the revision in force and follows it while nothing is changed.
    pub(super) fn new(
        newest: Signal<Arc<Policy>>,
        members: Signal<Option<Arc<Vec<User>>>>,
        may_save: bool,
    ) -> Self {
        let kept = Drafts::expect().get(&Scope::expect().draft_key());
        let restored = RwSignal::new(kept.as_ref().map(|kept| kept.edited));
        let (start, words) = if let Some(kept) = kept {
            (Arc::clone(&kept.base), kept.text.clone())
        } else {
            let newest = newest.get_untracked();
            let words = newest.document.clone();
            (newest, words)
        };
        let base = RwSignal::new(start);
        let text = RwSignal::new(words);
        let judgement = RwSignal::new(Arc::new(Judgement::default()));
        let people =
            Memo::new(move |_| members.with(|m| m.as_deref().map(|m| Arc::new(directory(m)))));
        let ask = move |place, what: fn(&str, u32, &Directory) -> String| {
            let people = people.get_untracked().unwrap_or_default();
            text.with_untracked(|text| what(text, place, &people))
        };
        let control = CodeControl {
            text,
            findings: Signal::derive(move || {
                let found = judgement.get();
                let marks = marks(&found.text, &found.findings);
                serde_json::to_string(&marks).unwrap_or_default()
            }),
            tests: Signal::derive(move || {
                judgement.with(|j| serde_json::to_string(&j.test_marks()).unwrap_or_default())
            }),
            offers: Callback::new(move |place| ask(place, assist::offers)),
            hover: Callback::new(move |place| ask(place, assist::hover)),
            read_only: Signal::stored(!may_save),
            reveal: RwSignal::new(None),
        };
        let draft = Self {
            base,
            newest,
            text,
            judgement,
            people,
            tester: Tester::new(judgement),
            control: StoredValue::new(control),
            restored,
            may_save,
        };
        draft.judge_on_pause();
        draft.follow();
        draft.keep();
        draft
    }

    /// Keeps what is not saved for when the page is opened again.
    fn keep(self) {
        let (drafts, key) = (Drafts::expect(), Scope::expect().draft_key());
        Effect::new(move |_| {
            let (base, text) = (self.base.get(), self.text.get());
            if text == base.document {
                self.restored.set(None);
                drafts.forget(&key);
                return;
            }
            let kept = drafts.get(&key);
            let same_text = kept.filter(|kept| kept.text == text);
            if same_text.as_ref().is_some_and(|kept| kept.base == base) {
                return;
            }
            let edited = same_text.map_or_else(clock::read, |kept| kept.edited);
            drafts.keep(&key, Unsaved { base, text, edited });
        });
    }

    fn judge_on_pause(self) {
        let waiting = StoredValue::new(None::<TimeoutHandle>);
        let judge_now = move || {
            let people = self.people.get_untracked();
            let before = self.judgement.get_untracked();
            let found = self
                .text
                .with_untracked(|text| judge(text, people.as_deref(), &before));
            self.judgement.set(Arc::new(found));
            self.tester.run();
        };
        Effect::new(move |before: Option<()>| {
            self.text.track();
            self.people.track();
            if let Some(timer) = waiting.get_value() {
                timer.clear();
            }
            if before.is_none() {
                judge_now();
            } else {
                waiting.set_value(set_timeout_with_handle(judge_now, PAUSE).ok());
            }
        });
        on_cleanup(move || {
            if let Some(Some(timer)) = waiting.try_get_value() {
                timer.clear();
            }
        });
    }

    /// Takes over a newer revision while nothing is changed here.
    fn follow(self) {
        Effect::new(move |_| {
            let newest = self.newest.get();
            let base = self.base.get_untracked();
            let touched = self.text.with_untracked(|text| *text != base.document);
            let same_text = self.text.with_untracked(|text| *text == newest.document);
            if newest.revision.id != base.revision.id && (!touched || same_text) {
                self.restart(newest);
            }
        });
    }

    /// What the editor needs.
    pub(super) fn control(self) -> CodeControl {
        self.control.get_value()
    }

    /// The revision it comes from, tracked.
    pub(super) fn base(self) -> Arc<Policy> {
        self.base.get()
    }

    /// A newer revision that somebody else saved meanwhile, tracked.
    pub(super) fn newer(self) -> Option<Arc<Policy>> {
        let newest = self.newest.get();
        let is_newer = self
            .base
            .with(|b| b.revision.number < newest.revision.number);
        is_newer.then_some(newest)
    }

    /// The text as it is.
    pub(super) fn text(self) -> String {
        self.text.get_untracked()
    }

    /// Whether this is the text, tracked.
    pub(super) fn is_text(self, text: &str) -> bool {
        self.text.with(|now| now == text)
    }

    /// Whether it differs from the revision it comes from, tracked.
    pub(super) fn is_changed(self) -> bool {
        self.base
            .with(|base| self.text.with(|text| *text != base.document))
    }

    /// When it was edited last, if it is from an earlier visit of the page; tracked.
    pub(super) fn restored(self) -> Option<Timestamp> {
        self.restored.get()
    }

    /// Says no more that it is from an earlier visit.
    pub(super) fn go_on(self) {
        self.restored.set(None);
    }

    /// The judgement, tracked.
    pub(super) fn judgement(self) -> Arc<Judgement> {
        self.judgement.get()
    }

    /// The findings, tracked.
    pub(super) fn findings(self) -> Vec<Diagnostic> {
        self.judgement.with(|j| j.findings.clone())
    }

    /// Whether saving it would do something, tracked.
    pub(super) fn can_save(self) -> Signal<bool> {
        Signal::derive(move || self.may_save && self.why_not().is_none())
    }

    /// Why it cannot be saved.
    pub(super) fn why_not(self) -> Option<String> {
        let (errors, _) = self.judgement.with(|j| count(&j.findings));
        if errors > 0 {
            Some("Correct the errors first.".to_owned())
        } else if !self.is_changed() {
            Some("Nothing is changed.".to_owned())
        } else {
            None
        }
    }

    /// Back to the revision in force.
    pub(super) fn discard(self) {
        self.restart(self.newest.get_untracked());
    }

    /// Goes on from `policy`, with its text.
    pub(super) fn restart(self, policy: Arc<Policy>) {
        let document = policy.document.clone();
        self.base.set(policy);
        self.text.set(document);
    }

    /// Keeps the text, but as an edit of `policy`.
    pub(super) fn rebase(self, policy: Arc<Policy>) {
        self.base.set(policy);
    }

    /// Puts the caret at a byte.
    pub(super) fn reveal(self, byte: usize) {
        let place = self
            .text
            .with_untracked(|text| crate::model::policy_editor::utf16(text, byte));
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.control().reveal.set(Some(place));
    }
}
