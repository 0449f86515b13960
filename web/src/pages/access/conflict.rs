//! Somebody else saved while this draft was being edited.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::policy::Policy;

use super::{draft::Draft, save::Changes};
use crate::{
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        dialog::{Dialog, DialogActions, Width},
        notice::Notice,
        toast::Toasts,
    },
    model::audit,
};

/// The note and its choices, while there is a newer revision.
#[component]
pub(super) fn Conflict(draft: Draft) -> impl IntoView {
    let showing = RwSignal::new(false);
    view! {
        {move || {
            let newer = draft.newer()?;
            Some(
                view! {
                    <div class="mb-4" role="alert" data-testid="policy-conflict">
                        <Notice tone=Mood::Caution>
                            <Told newer=newer.clone()/>
                            <div class="mt-2 flex flex-wrap gap-2">
                                <Button on:click=move |_| showing.set(true)>"Show what they changed"</Button>
                                <Choices draft newer taken=|| ()/>
                            </div>
                        </Notice>
                    </div>
                },
            )
        }}
        <Dialog open=showing title="What they changed" name="policy-their-changes" width=Width::Wide>
            {move || draft.newer().map(|newer| view! { <Theirs draft newer/> })}
            <DialogActions>
                <Button on:click=move |_| showing.set(false)>"Close"</Button>
            </DialogActions>
        </Dialog>
    }
}

/// What stands in the place of saving until it is chosen whose text goes on.
#[component]
pub(super) fn Between(draft: Draft, newer: Arc<Policy>, open: RwSignal<bool>) -> impl IntoView {
    let (told, theirs) = (Arc::clone(&newer), Arc::clone(&newer));
    view! {
        <div class="grid grid-cols-[minmax(0,1fr)] gap-4" role="alert" data-testid="save-policy-conflict">
            <Notice tone=Mood::Caution>
                <Told newer=told/>
                <p>"Saving waits until you choose whose text goes on."</p>
            </Notice>
            <h3 class="text-sm font-medium">"What they changed"</h3>
            <Theirs draft newer=theirs/>
        </div>
        <DialogActions>
            <Button on:click=move |_| open.set(false)>"Cancel"</Button>
            <Choices draft newer taken=move || open.set(false)/>
        </DialogActions>
    }
}

/// Who saved what.
#[component]
fn Told(newer: Arc<Policy>) -> impl IntoView {
    let revision = &newer.revision;
    let reason = revision.reason.clone();
    view! {
        <p class="font-medium">
            {format!(
                "{} saved revision {} while you were editing.",
                audit::actor(&revision.author),
                revision.number,
            )}
        </p>
        {(!reason.is_empty()).then(|| view! { <p>"Reason: " {reason}</p> })}
        <p>"Your text is still here. Nothing of yours is saved yet."</p>
    }
}

/// Whose text goes on; `taken` is called when it is theirs.
#[component]
fn Choices(
    draft: Draft,
    newer: Arc<Policy>,
    taken: impl Fn() + Send + Sync + 'static,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let (theirs, ours) = (Arc::clone(&newer), newer);
    view! {
        <Button on:click=move |_| draft.rebase(Arc::clone(&ours))>"Keep my text"</Button>
        <Button
            tone=Tone::Quiet
            on:click=move |_| {
                draft.restart(Arc::clone(&theirs));
                taken();
                toasts.good("Their text is in the editor. Ctrl+Z in the editor brings yours back.");
            }
        >
            "Take theirs, discard mine"
        </Button>
    }
}

/// The lines that the newer revision changed.
#[component]
fn Theirs(draft: Draft, newer: Arc<Policy>) -> impl IntoView {
    view! { <Changes old=draft.base().document.clone() new=newer.document.clone()/> }
}
