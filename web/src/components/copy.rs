//! Text that can be copied with one press.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use super::{
    icon::{Icon, Sign},
    toast::Toasts,
};

const SHOWN: Duration = Duration::from_secs(2);

/// Puts `text` on the clipboard; the signal is true for a moment after it worked.
fn copy(text: String, done: RwSignal<bool>, toasts: Toasts) {
    spawn_local(async move {
        let written = JsFuture::from(window().navigator().clipboard().write_text(&text)).await;
        if written.is_ok() {
            let _ = done.try_set(true);
            set_timeout(
                move || {
                    let _ = done.try_set(false);
                },
                SHOWN,
            );
        } else {
            toasts.bad("The browser did not allow copying; select the text and copy it by hand.");
        }
    });
}

/// A short text that is copied by a press on it.
#[component]
pub(crate) fn CopyText(
    #[prop(into)] text: String,
    /// What it is, for the button's name.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let done = RwSignal::new(false);
    let toasts = Toasts::expect();
    let shown = text.clone();
    let name = format!("Copy {label} {text}");
    view! {
        <button
            type="button"
            class="group inline-flex max-w-full items-center gap-1.5 rounded px-1 py-0.5 -mx-1 font-mono text-[0.8125rem] \
            hover:bg-sunken pointer-coarse:min-h-9"
            aria-label=name
            title="Copy"
            on:click=move |_| copy(text.clone(), done, toasts)
        >
            <span class="truncate">{shown}</span>
            <span class="text-muted opacity-60 group-hover:opacity-100 group-focus-visible:opacity-100">
                {move || view! { <Icon sign=if done.get() { Sign::Check } else { Sign::Copy }/> }}
            </span>
        </button>
    }
}

/// A button that copies.
#[component]
pub(crate) fn CopyButton(
    #[prop(into)] text: Signal<String>,
    #[prop(into)] label: String,
) -> impl IntoView {
    let done = RwSignal::new(false);
    let toasts = Toasts::expect();
    view! {
        <button
            type="button"
            class="inline-flex min-h-8 items-center gap-1.5 rounded-md border border-line-strong bg-surface px-2.5 text-xs \
            font-medium text-ink hover:bg-sunken pointer-coarse:min-h-11"
            aria-label=label
            on:click=move |_| copy(text.get_untracked(), done, toasts)
        >
            {move || {
                if done.get() {
                    view! {
                        <Icon sign=Sign::Check/>
                        "Copied"
                    }
                        .into_any()
                } else {
                    view! {
                        <Icon sign=Sign::Copy/>
                        "Copy"
                    }
                        .into_any()
                }
            }}
        </button>
    }
}
