//! Policies that were edited and not saved. They stay in this tab, whatever page is opened and
//! also when the page is loaded again, until they are saved, discarded, or the person signs out.

use std::{collections::BTreeMap, sync::Arc};

use leptos::{ev, prelude::*};
use serde::{Deserialize, Serialize};
use wire::{
    Timestamp,
    api::{
        me::{Me, Membership},
        policy::Policy,
    },
};

/// A text that is not saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unsaved {
    /// The revision it was edited from.
    pub(crate) base: Arc<Policy>,
    /// The text.
    pub(crate) text: String,
    /// When it was edited last.
    pub(crate) edited: Timestamp,
}

/// All of them, by tenant and person. A context.
#[derive(Clone, Copy)]
pub(crate) struct Drafts(RwSignal<BTreeMap<String, Arc<Unsaved>>>);

/// What the names in the browser's store begin with.
const PREFIX: &str = "warren.unsaved.";

impl Drafts {
    /// Those that this tab holds; asks from now on before the page is left over one that the
    /// browser's store could not take.
    pub(crate) fn start() -> Self {
        let drafts = Self(RwSignal::new(stored()));
        let _ = window_event_listener(ev::beforeunload, move |ev| {
            let kept = stored();
            if drafts.0.with_untracked(|all| *all != kept) {
                ev.prevent_default();
            }
        });
        drafts
    }

    /// Those of this page.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// What a member has not saved.
    pub(crate) fn get(self, key: &str) -> Option<Arc<Unsaved>> {
        self.0.with_untracked(|all| all.get(key).cloned())
    }

    /// Whether a member has something that is not saved, tracked.
    pub(crate) fn has(self, key: &str) -> bool {
        self.0.with(|all| all.contains_key(key))
    }

    /// The networks in which a person has something that is not saved.
    pub(crate) fn of(self, me: &Me) -> Vec<String> {
        let mine = me.memberships.iter();
        let mine = mine.filter(|m| self.0.with_untracked(|all| all.contains_key(&key(m))));
        mine.map(|m| m.name.clone()).collect()
    }

    /// Keeps a text.
    pub(crate) fn keep(self, key: &str, unsaved: Unsaved) {
        if let (Some(store), Ok(json)) = (store(), serde_json::to_string(&unsaved)) {
            // A store that is full leaves it to the memory of the page; leaving that asks.
            let _ = store.set_item(&format!("{PREFIX}{key}"), &json);
        }
        self.0.update(|all| {
            all.insert(key.to_owned(), Arc::new(unsaved));
        });
    }

    /// Forgets a text.
    pub(crate) fn forget(self, key: &str) {
        if self.0.with_untracked(|all| !all.contains_key(key)) {
            return;
        }
        if let Some(store) = store() {
            let _ = store.remove_item(&format!("{PREFIX}{key}"));
        }
        self.0.update(|all| {
            all.remove(key);
        });
    }

    /// Forgets all texts of a person.
    pub(crate) fn forget_all(self, me: &Me) {
        for membership in &me.memberships {
            self.forget(&key(membership));
        }
    }
}

/// What a member's text is kept under.
pub(crate) fn key(membership: &Membership) -> String {
    format!("{}.{}", membership.tenant, membership.user)
}

fn store() -> Option<web_sys::Storage> {
    window().session_storage().ok()?
}

fn stored() -> BTreeMap<String, Arc<Unsaved>> {
    let Some(store) = store() else {
        return BTreeMap::new();
    };
    let names = (0..store.length().unwrap_or_default()).filter_map(|at| store.key(at).ok()?);
    let found = names.filter_map(|name| {
        let key = name.strip_prefix(PREFIX)?.to_owned();
        let json = store.get_item(&name).ok()??;
        Some((key, serde_json::from_str(&json).ok()?))
    });
    found.collect()
}
