//! A search: `/` brings the focus to it.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;

use super::{
    icon::{Icon, Sign},
    text_field::INPUT,
};

/// The field; every change goes to `on_change`.
#[component]
pub(crate) fn SearchField(
    #[prop(into)] label: String,
    #[prop(into)] placeholder: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let listener = window_event_listener(ev::keydown, move |ev| {
        let typing = ev
            .composed_path()
            .get(0)
            .dyn_into::<web_sys::HtmlElement>()
            .is_ok_and(|e| {
                matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
                    || e.is_content_editable()
            });
        if ev.key() == "/" && !typing && !ev.ctrl_key() && !ev.meta_key() && !ev.alt_key() {
            ev.prevent_default();
            if let Some(input) = input.get_untracked() {
                let _ = input.focus();
            }
        }
    });
    on_cleanup(move || listener.remove());
    view! {
        <div class="relative min-w-0 flex-1 basis-60 sm:max-w-sm">
            <span class="pointer-events-none absolute inset-y-0 left-3 grid place-items-center text-muted">
                <Icon sign=Sign::Search/>
            </span>
            <input
                node_ref=input
                type="search"
                class=format!("{INPUT} pl-9")
                aria-label=label
                placeholder=placeholder
                autocomplete="off"
                spellcheck="false"
                prop:value=move || value.get()
                on:input:target=move |ev| on_change.run(ev.target().value())
            />
        </div>
    }
}
