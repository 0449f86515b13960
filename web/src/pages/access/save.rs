//! Saving the draft: what changes, and why.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::{
    policy::{SavePolicy, impact::PreviewImpact},
    problem::Code,
};

use super::{
    super::{impact::ImpactPreview, loaded::Problem, scope::Scope},
    conflict::Between,
    draft::Draft,
};
use crate::{
    api,
    components::{
        button::{Button, Tone},
        dialog::{Dialog, DialogActions, Width},
        text_field::TextField,
        toast::Toasts,
    },
    model::diff,
    query::{Cache, Topic},
    submit::Submit,
};

/// Lines of context around a change.
pub(super) const CONTEXT: usize = 2;

/// The dialog. While somebody else's revision stands between, it asks first whose text goes on.
#[component]
pub(super) fn SaveDialog(draft: Draft, open: RwSignal<bool>) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let state = Memo::new(move |_| (draft.newer(), draft.is_changed()));
    view! {
        <Dialog open title="Save the policy" name="save-policy" width=Width::Wide>
            {move || match state.get() {
                (Some(newer), _) => view! { <Between draft newer open/> }.into_any(),
                (None, true) => view! { <Form draft open reason/> }.into_any(),
                (None, false) => view! {
                    <p class="text-sm text-muted">"Your text is the policy in force: there is nothing to save."</p>
                }
                .into_any(),
            }}
        </Dialog>
    }
}

/// What saving does, and why it is done.
#[component]
fn Form(draft: Draft, open: RwSignal<bool>, reason: RwSignal<String>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let cache: Cache = expect_context();
    let submit = Submit::new();
    let save = move || {
        let work = api::policy::save(
            scope.tenant(),
            SavePolicy {
                document: draft.text(),
                reason: reason.get_untracked().trim().to_owned(),
                base: draft.base().revision.id,
            },
        );
        submit.run_or(
            &[Topic::Policy],
            work,
            move |saved| {
                toasts.good(format!("Revision {} is in force.", saved.revision.number));
                reason.set(String::new());
                open.set(false);
                draft.rebase(Arc::new(saved));
            },
            move |failure| {
                if failure.code() == Some(Code::PolicyChanged) {
                    // Once the newer revision is here, the dialog asks whose text goes on.
                    cache.stale(Topic::Policy);
                }
                Some(failure)
            },
        );
    };
    view! {
        <form
            class="grid grid-cols-[minmax(0,1fr)] gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                save();
            }
        >
            <p class="text-sm text-muted">
                "The change holds on every machine within seconds. Connections that are no longer allowed end."
            </p>
            {move || {
                view! { <Changes old=draft.base().document.clone() new=draft.text()/> }
            }}
            <ImpactPreview change=Signal::derive(move || {
                Some(PreviewImpact {
                    document: Some(draft.text()),
                    ..PreviewImpact::default()
                })
            })/>
            <TextField
                label="Reason"
                value=reason
                placeholder="Why the policy changes"
                hint="Kept with the revision, for those who read it later."
                autofocus=true
                error=submit.field("/reason", reason)
            />
            <Problem failure=submit.failure()/>
            <DialogActions>
                <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Save policy"
                </Button>
            </DialogActions>
        </form>
    }
}

/// The lines that differ.
#[component]
pub(super) fn Changes(old: String, new: String) -> impl IntoView {
    let lines = diff::lines(&old, &new, CONTEXT);
    let (added, removed) = diff::count(&lines);
    let rows = lines
        .into_iter()
        .map(|line| {
            let (sign, class) = match line.kind {
                diff::Kind::Same => (" ", ""),
                diff::Kind::Added => ("+", "bg-accent-soft text-accent-ink"),
                diff::Kind::Removed => ("-", "bg-danger-soft text-danger"),
                diff::Kind::Gap => ("⋯", "text-muted italic"),
            };
            view! {
                <span class=format!(
                    "grid grid-cols-[1.5rem_minmax(0,1fr)] px-2 {class}",
                )>
                    <span aria-hidden="true">{sign}</span>
                    <span class="break-words whitespace-pre-wrap">{line.text}</span>
                </span>
            }
        })
        .collect_view();
    view! {
        <figure class="grid gap-1.5" data-testid="policy-changes">
            <figcaption class="text-sm font-medium">
                {diff::told(added, removed)}
            </figcaption>
            <pre
                class="max-h-72 overflow-y-auto rounded-lg border border-line py-1 font-mono text-xs leading-relaxed"
                tabindex="0"
            >
                <code class="grid">{rows}</code>
            </pre>
        </figure>
    }
}
