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
                <dd class="min-w-0 break-words">{content}</dd>
            }
        })
        .collect_view();
    view! {
        <dl class="grid grid-cols-[minmax(7rem,auto)_minmax(0,1fr)] gap-x-6 gap-y-2.5 text-sm">{rows}</dl>
    }
}
