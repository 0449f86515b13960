//! One of several.

use leptos::prelude::*;

use super::{
    id::{field_name, fresh},
    text_field::{FieldError, INPUT},
};

/// A choice from a list of (value, title).
#[component]
pub(crate) fn SelectField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    options: Vec<(String, String)>,
    #[prop(optional, into)] hint: Signal<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let id = fresh("select");
    let name = field_name(&label);
    let error_id = format!("{id}-error");
    let choices = options
        .into_iter()
        .map(|(word, title)| {
            let own = word.clone();
            view! {
                <option value=word selected=move || value.get() == own>
                    {title}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="grid content-start gap-1.5">
            <label class="text-sm font-medium" for=id.clone()>
                {label}
            </label>
            <select id=id name=name class=INPUT on:change:target=move |ev| value.set(ev.target().value())>
                {choices}
            </select>
            {move || {
                let hint = hint.get();
                (!hint.is_empty()).then(|| view! { <p class="text-sm text-muted">{hint}</p> })
            }}
            <FieldError id=error_id error/>
        </div>
    }
}
