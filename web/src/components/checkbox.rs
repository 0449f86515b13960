//! Yes or no.

use leptos::prelude::*;

use super::id::{field_name, fresh};

/// A box with its label and what it means.
#[component]
pub(crate) fn Checkbox(
    #[prop(into)] label: String,
    checked: RwSignal<bool>,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] disabled: bool,
) -> impl IntoView {
    let hint_id = fresh("hint");
    let name = field_name(&label);
    view! {
        <label class="flex items-start gap-3 py-1 pointer-coarse:py-2">
            <input
                type="checkbox"
                name=name
                class="mt-0.5 size-4 shrink-0 accent-accent"
                bind:checked=checked
                disabled=disabled
                aria-describedby=hint_id.clone()
            />
            <span class="grid gap-0.5">
                <span class="text-sm font-medium">{label}</span>
                <span id=hint_id class="text-sm text-muted">
                    {hint}
                </span>
            </span>
        </label>
    }
}
