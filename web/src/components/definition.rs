//! Names and what they stand for, in two columns.

use leptos::prelude::*;

/// One entry: the name and what it stands for.
pub(crate) type Definition = (&'static str, AnyView);

/// The list.
#[component]
pub(crate) fn Definitions(entries: Vec<Definition>) -> impl IntoView {
    let rows = entries
        .into_iter()
        .map(|(term, content)| {
            view! {
                <dt class="text-muted">{term}</dt>
                <dd class="mb-2 min-w-0 break-words sm:mb-0">{content}</dd>
            }
        })
        .collect_view();
    view! {
        <dl class="grid gap-x-6 gap-y-0.5 text-sm sm:grid-cols-[minmax(7rem,auto)_minmax(0,1fr)] sm:gap-y-2.5">{rows}</dl>
    }
}
