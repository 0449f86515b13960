//! The shape of what is still on its way.

use leptos::prelude::*;

/// Grey bars, `lines` of them.
#[component]
pub(crate) fn Skeleton(#[prop(default = 5)] lines: usize) -> impl IntoView {
    let bars = (0..lines)
        .map(|_| view! { <div class="skeleton h-4 odd:w-3/4 even:w-1/2"></div> })
        .collect_view();
    view! {
        <div class="grid gap-4 p-5" role="status" aria-busy="true" data-testid="loading">
            <span class="sr-only">"Loading"</span>
            {bars}
        </div>
    }
}
