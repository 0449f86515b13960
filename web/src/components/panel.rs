//! A raised sheet that holds one subject.

use leptos::prelude::*;

use super::id::fresh;

/// The sheet, with a heading where it has one.
#[component]
pub(crate) fn Panel(
    #[prop(optional, into)] title: String,
    #[prop(optional, into)] help: String,
    children: Children,
) -> impl IntoView {
    let id = fresh("panel");
    let titled = !title.is_empty();
    let labelled = titled.then(|| id.clone());
    view! {
        <section
            class="rounded-xl border border-line bg-surface p-4 sm:p-5"
            aria-labelledby=labelled
        >
            {titled
                .then(|| {
                    view! {
                        <h2 id=id class="font-semibold">
                            {title}
                        </h2>
                    }
                })}
            {(!help.is_empty()).then(|| view! { <p class="mt-0.5 text-sm text-muted">{help}</p> })}
            <div class=if titled { "mt-4" } else { "" }>{children()}</div>
        </section>
    }
}
