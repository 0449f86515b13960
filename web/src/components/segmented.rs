//! One of a few, all of them in sight.

use leptos::prelude::*;

/// The row of choices: (value, title).
#[component]
pub(crate) fn Segmented(
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
) -> impl IntoView {
    let choices = options
        .into_iter()
        .map(|(word, title)| {
            let (own, chosen) = (word.clone(), word);
            view! {
                <button
                    type="button"
                    class="min-h-8 rounded-md px-3 text-sm whitespace-nowrap text-muted hover:text-ink \
                    aria-pressed:bg-surface aria-pressed:font-medium aria-pressed:text-ink aria-pressed:shadow-sm \
                    pointer-coarse:min-h-10"
                    aria-pressed=move || value.with(|v| *v == own).to_string()
                    on:click=move |_| on_change.run(chosen.clone())
                >
                    {title}
                </button>
            }
        })
        .collect_view();
    view! {
        <div
            class="inline-flex max-w-full flex-wrap gap-0.5 rounded-lg bg-sunken p-0.5"
            role="group"
            aria-label=label
        >
            {choices}
        </div>
    }
}
