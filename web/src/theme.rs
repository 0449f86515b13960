//! Dark, light, or as the system has it. `theme.js` sets it before the first paint.

use leptos::prelude::*;

/// What a person has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Choice {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

const KEY: &str = "warren.theme";

/// The colour scheme. A context.
#[derive(Clone, Copy)]
pub(crate) struct Theme(RwSignal<Choice>);

impl Theme {
    /// As it was chosen last.
    pub(crate) fn new() -> Self {
        let word = storage()
            .and_then(|s| s.get_item(KEY).ok()?)
            .unwrap_or_default();
        let choice = Choice::ALL.into_iter().find(|c| c.word() == word);
        let theme = Self(RwSignal::new(choice.unwrap_or(Choice::System)));
        Effect::new(move |_| apply(theme.0.get()));
        if let Ok(Some(system)) = window().match_media("(prefers-color-scheme: dark)") {
            let listener = wasm_bindgen::closure::Closure::<dyn FnMut()>::new(move || {
                apply(theme.0.get_untracked());
            });
            system.set_onchange(Some(wasm_bindgen::JsCast::unchecked_ref(listener.as_ref())));
            // The console never ends, nor does this listener.
            listener.forget();
            std::mem::forget(system);
        }
        theme
    }

    /// What is chosen, tracked.
    pub(crate) fn choice(self) -> Choice {
        self.0.get()
    }

    /// Chooses.
    pub(crate) fn choose(self, choice: Choice) {
        if let Some(storage) = storage() {
            let _ = storage.set_item(KEY, choice.word());
        }
        self.0.set(choice);
    }
}

fn apply(choice: Choice) {
    let system = || {
        window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|media| media.matches())
    };
    let dark = match choice {
        Choice::System => system(),
        Choice::Light => false,
        Choice::Dark => true,
    };
    if let Some(root) = document().document_element() {
        let _ = root.class_list().toggle_with_force("dark", dark);
    }
}

/// The browser's store, where it allows one.
pub(crate) fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}
