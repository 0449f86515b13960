//! Sentences with names in backticks.

use leptos::prelude::*;

/// The text; what stands between backticks is set as code.
#[component]
pub(crate) fn Prose(#[prop(into)] text: String) -> impl IntoView {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(at, part)| {
            let part = part.to_owned();
            if at % 2 == 1 {
                // Nothing between backticks is an empty text, which must be seen.
                let part = if part.is_empty() { "\"\"".to_owned() } else { part };
                view! { <code class="rounded bg-sunken px-1 font-mono text-[0.92em] break-words">{part}</code> }
                    .into_any()
            } else {
                part.into_any()
            }
        })
        .collect_view();
    view! { <span class="break-words">{parts}</span> }
}
