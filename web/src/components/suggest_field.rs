//! A line of text with suggestions.

use leptos::prelude::*;

use super::{
    id::{field_name, fresh},
    text_field::{FieldError, INPUT},
};

/// A text field whose suggestions are the options of the `datalist` with the id `list`.
#[component]
pub(crate) fn SuggestField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    list: String,
) -> impl IntoView {
    let id = fresh("field");
    let name = field_name(&label);
    let error_id = format!("{id}-error");
    let described = {
        let error_id = error_id.clone();
        move || error.with(Option::is_some).then(|| error_id.clone())
    };
    view! {
        <div class="grid content-start gap-1.5">
            <label class="text-sm font-medium" for=id.clone()>
                {label}
            </label>
            <input
                id=id
                name=name
                class=INPUT
                type="text"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                list=list
                placeholder=placeholder
                bind:value=value
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            <FieldError id=error_id error/>
        </div>
    }
}
