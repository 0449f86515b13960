//! How long ago, with the exact time on demand. The words come from outside, so
//! that this component needs no clock.

use leptos::prelude::*;

/// The words and the exact time.
#[component]
pub(crate) fn RelativeTime(
    /// For machines, RFC 3339.
    #[prop(into)]
    datetime: String,
    /// The exact time for people.
    #[prop(into)]
    title: String,
    /// The words.
    #[prop(into)]
    words: Signal<String>,
) -> impl IntoView {
    view! {
        <time datetime=datetime title=title class="whitespace-nowrap">
            {move || words.get()}
        </time>
    }
}
