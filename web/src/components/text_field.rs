//! A line of text with its label, its hint and what is wrong with it.

use leptos::prelude::*;

use super::{
    id::{field_name, fresh},
    prose::Prose,
};

/// The classes of everything that takes text.
pub(crate) const INPUT: &str = "w-full min-h-9 rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm \
     text-ink placeholder:text-muted aria-invalid:border-danger disabled:opacity-60 pointer-coarse:min-h-11 \
     pointer-coarse:text-base";

/// A text field.
#[component]
pub(crate) fn TextField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] placeholder: String,
    /// The form's name, where the label does not give a fitting one.
    #[prop(optional)]
    name: &'static str,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] disabled: bool,
    /// The id of a `datalist` with suggestions.
    #[prop(optional, into)]
    list: Option<String>,
) -> impl IntoView {
    let id = fresh("field");
    let name = if name.is_empty() {
        field_name(&label)
    } else {
        name.to_owned()
    };
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        let has_hint = !hint.is_empty();
        move || match (error.with(Option::is_some), has_hint) {
            (true, _) => Some(error_id.clone()),
            (false, true) => Some(hint_id.clone()),
            (false, false) => None,
        }
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
                type=kind
                autocomplete=autocomplete
                autofocus=autofocus
                autocapitalize="off"
                spellcheck="false"
                placeholder=placeholder
                list=list
                disabled=disabled
                bind:value=value
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
            />
            {(!hint.is_empty()).then(|| view! { <p id=hint_id class="text-sm text-muted">{hint}</p> })}
            <FieldError id=error_id error/>
        </div>
    }
}

/// What is wrong with a field.
#[component]
pub(crate) fn FieldError(
    #[prop(into)] id: String,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        let id = id.clone();
        error.get().map(|error| {
            view! {
                <p id=id class="text-sm text-danger" role="alert">
                    <Prose text=error/>
                </p>
            }
        })
    }
}
