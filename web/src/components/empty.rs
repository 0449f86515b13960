//! Nothing to show, and what to do about it.

use leptos::prelude::*;

use super::icon::{Icon, Sign};

/// The note in place of a list.
#[component]
pub(crate) fn Empty(
    sign: Sign,
    #[prop(into)] title: String,
    #[prop(into)] hint: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="grid justify-items-center gap-2 px-6 py-14 text-center" data-testid="empty">
            <span class="grid size-10 place-items-center rounded-full bg-sunken text-muted">
                <Icon sign/>
            </span>
            <p class="font-medium">{title}</p>
            <p class="max-w-md text-sm text-balance text-muted">{hint}</p>
            {children.map(|children| view! { <div class="mt-2">{children()}</div> })}
        </div>
    }
}
