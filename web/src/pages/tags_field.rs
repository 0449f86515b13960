//! A field for tags: what the policy defines is offered, what it does not is refused while it is typed.

use leptos::prelude::*;
use wire::{
    api::{Action, policy::Policy},
    paths::PolicyPath,
};

use super::scope::Scope;
use crate::{
    components::text_field::TextField,
    model::tags,
    query::{Query, Topic, query},
    submit::Submit,
};

/// The tags that are typed, and those that may be.
#[derive(Clone, Copy)]
pub(crate) struct Tags {
    text: RwSignal<String>,
    /// Those that the machine has already; it may keep them.
    held: RwSignal<Vec<String>>,
    /// Those of the policy in force; `None` while nobody says.
    known: Memo<Option<Vec<String>>>,
}

impl Tags {
    /// None yet; the policy in force says which there are.
    pub(crate) fn of_policy() -> Self {
        let scope = Scope::expect();
        let tenant = scope.tenant();
        let url = scope
            .may(Action::ViewPolicy)
            .then(|| PolicyPath { tenant }.to_path());
        let policy: Query<Policy> = query(Topic::Policy, move || url.clone());
        let held = RwSignal::new(Vec::new());
        let defined = Memo::new(move |_| {
            let policy = policy.data.get()?;
            let (document, _) = ::policy::parse(&policy.document);
            let tags = document.tag_owners.into_iter().map(|tag| tag.tag.text);
            Some(tags.collect::<Vec<String>>())
        });
        let known = Memo::new(move |_| {
            let mut known = defined.get()?;
            known.extend(held.get());
            known.sort();
            known.dedup();
            Some(known)
        });
        Self {
            text: RwSignal::new(String::new()),
            held,
            known,
        }
    }

    /// Starts from the tags that a machine has.
    pub(crate) fn start(self, held: Vec<String>) {
        self.text.set(held.join(", "));
        self.held.set(held);
    }

    /// The tags, or what is wrong with them; tracked.
    pub(crate) fn read(self) -> Result<Vec<String>, String> {
        self.typed().map_err(|wrong| wrong.message)
    }

    fn typed(self) -> Result<Vec<String>, tags::Wrong> {
        let known = self.known.get();
        self.text.with(|text| tags::read(text, known.as_deref()))
    }

    /// What is wrong already; tracked.
    fn wrong(self) -> Option<String> {
        let wrong = self.typed().err()?;
        (!wrong.is_unfinished).then_some(wrong.message)
    }
}

/// The field.
#[component]
pub(crate) fn TagsField(
    tags: Tags,
    submit: Submit,
    #[prop(into)] hint: String,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let refused = submit.field("/tags", tags.text);
    let error = Signal::derive(move || tags.wrong().or_else(|| refused.get()));
    let offered = Memo::new(move |_| {
        let known = tags.known.get().unwrap_or_default();
        tags.text.with(|text| tags::offered(text, &known))
    });
    view! {
        <div class="grid grid-cols-[minmax(0,1fr)] gap-2">
            <TextField label="Tags" value=tags.text placeholder="tag:server, tag:eu" hint error autofocus/>
            <Show when=move || !offered.with(Vec::is_empty)>
                <div
                    class="-m-1 flex max-h-32 flex-wrap gap-1.5 overflow-y-auto p-1"
                    role="group"
                    aria-label="Tags of the policy"
                    data-testid="tag-choices"
                >
                    {move || {
                        offered.get().into_iter().map(|tag| view! { <Choice tag tags/> }).collect_view()
                    }}
                </div>
            </Show>
        </div>
    }
}

/// Adds a tag, or takes it away.
#[component]
fn Choice(tag: String, tags: Tags) -> impl IntoView {
    let own = tag.clone();
    let is_on = Memo::new(move |_| tags.text.with(|text| tags::has(text, &own)));
    let shown = tag.clone();
    let toggle = move |_| {
        let known = tags.known.get_untracked().unwrap_or_default();
        tags.text
            .update(|text| *text = tags::toggled(text, &tag, &known));
    };
    view! {
        <button
            type="button"
            class="max-w-full min-h-7 truncate rounded-md border border-line-strong px-2 font-mono text-xs text-ink \
            hover:bg-sunken aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent-ink \
            pointer-coarse:min-h-10"
            aria-pressed=move || is_on.get().to_string()
            on:click=toggle
        >
            {shown}
        </button>
    }
}
