//! A block of text to be pasted elsewhere: a command, a secret, a link.

use leptos::prelude::*;

use super::copy::CopyButton;

/// The block and its button.
#[component]
pub(crate) fn Command(
    /// What it is, for the button's name and for tests.
    #[prop(into)]
    label: String,
    name: &'static str,
    #[prop(into)] text: Signal<String>,
) -> impl IntoView {
    let copy_label = format!("Copy {label}");
    view! {
        <figure class="grid gap-1.5">
            <figcaption class="flex items-end justify-between gap-3">
                <span class="text-sm font-medium first-letter:uppercase">{label}</span>
                <CopyButton text label=copy_label/>
            </figcaption>
            <pre
                class="overflow-x-auto rounded-lg border border-line bg-sunken px-3 py-2.5 font-mono text-[0.8125rem] \
                leading-relaxed break-all whitespace-pre-wrap"
                data-testid=name
                tabindex="0"
            >
                <code>{move || text.get()}</code>
            </pre>
        </figure>
    }
}
