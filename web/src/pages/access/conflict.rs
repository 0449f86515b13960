//! Somebody else saved while this draft was being edited.

use leptos::prelude::*;

use super::{draft::Draft, save::Changes};
use crate::{
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        dialog::{Dialog, DialogActions, Width},
        notice::Notice,
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
            let (theirs, ours) = (newer.clone(), newer.clone());
            let reason = newer.revision.reason.clone();
            Some(
                view! {
                    <div class="mb-4" role="alert" data-testid="policy-conflict">
                        <Notice tone=Mood::Caution>
                            <p class="font-medium">
                                {format!(
                                    "{} saved revision {} while you were editing.",
                                    audit::actor(&newer.revision.author),
                                    newer.revision.number,
                                )}
                            </p>
                            {(!reason.is_empty()).then(|| view! { <p>"Reason: " {reason.clone()}</p> })}
                            <p>"Your text is still here. Nothing of yours is saved yet."</p>
                            <div class="mt-2 flex flex-wrap gap-2">
                                <Button on:click=move |_| showing.set(true)>"Show what they changed"</Button>
                                <Button on:click=move |_| draft.rebase(ours.clone())>"Keep my text"</Button>
                                <Button tone=Tone::Quiet on:click=move |_| draft.restart(theirs.clone())>
                                    "Take theirs, discard mine"
                                </Button>
                            </div>
                        </Notice>
                    </div>
                },
            )
        }}
        <Dialog open=showing title="What they changed" name="policy-their-changes" width=Width::Wide>
            {move || {
                draft
                    .newer()
                    .map(|newer| {
                        view! { <Changes old=draft.base().document.clone() new=newer.document.clone()/> }
                    })
            }}
            <DialogActions>
                <Button on:click=move |_| showing.set(false)>"Close"</Button>
            </DialogActions>
        </Dialog>
    }
}
