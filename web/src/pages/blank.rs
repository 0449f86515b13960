//! A page without a tenant around it: the sign, and one sheet in the middle.

use leptos::prelude::*;

/// The sheet.
#[component]
pub(crate) fn Blank(children: Children) -> impl IntoView {
    view! {
        <main class="mx-auto grid min-h-dvh w-full max-w-lg content-center gap-6 px-4 py-10">
            <Brand/>
            <div class="rounded-2xl border border-line bg-surface p-5 shadow-sm sm:p-8">{children()}</div>
        </main>
    }
}

/// The product's sign and name.
#[component]
pub(crate) fn Brand() -> impl IntoView {
    view! {
        <span class="inline-flex items-center gap-2.5 font-semibold tracking-tight">
            <svg class="size-7" viewBox="0 0 32 32" aria-hidden="true">
                <rect width="32" height="32" rx="8" class="fill-accent"></rect>
                <g class="fill-none stroke-on-accent" stroke-width="2.200" stroke-linecap="round">
                    <path d="M9 12.500 13.500 21 16 16l2.500 5L23 12.500"></path>
                </g>
                <g class="fill-on-accent">
                    <circle cx="9" cy="11" r="2.600"></circle>
                    <circle cx="16" cy="15" r="2.600"></circle>
                    <circle cx="23" cy="11" r="2.600"></circle>
                    <circle cx="13.500" cy="22" r="2.600"></circle>
                    <circle cx="18.500" cy="22" r="2.600"></circle>
                </g>
            </svg>
            "Warren"
        </span>
    }
}
