//! Short news in a corner: what worked goes by itself, what failed stays.

use std::time::Duration;

use leptos::prelude::*;

use super::{
    button::IconButton,
    icon::{Icon, Sign},
};

const SHOWN: Duration = Duration::from_secs(4);
const MOST: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Toast {
    id: u32,
    text: String,
    good: bool,
}

/// The news. A context.
#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

impl Toasts {
    /// No news.
    pub(crate) fn new() -> Self {
        Self {
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
        }
    }

    /// The news of this page.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Something worked.
    pub(crate) fn good(self, text: impl Into<String>) {
        let id = self.add(text.into(), true);
        set_timeout(move || self.remove(id), SHOWN);
    }

    /// Something did not.
    pub(crate) fn bad(self, text: impl Into<String>) {
        self.add(text.into(), false);
    }

    fn add(self, text: String, good: bool) -> u32 {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| {
            list.push(Toast { id, text, good });
            if list.len() > MOST {
                list.remove(0);
            }
        });
        id
    }

    fn remove(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Where the news are shown: where pages have no buttons, and clicks pass through to what is below.
#[component]
pub(crate) fn ToastRegion() -> impl IntoView {
    let toasts = Toasts::expect();
    view! {
        <div
            class="pointer-events-none fixed inset-x-0 bottom-0 z-50 grid justify-items-center gap-2 p-4 sm:justify-items-start \
            lg:left-[15.5rem]"
            role="status"
            aria-live="polite"
            data-testid="toasts"
        >
            <For each=move || toasts.list.get() key=|toast| toast.id let:toast>
                <div class="flex max-w-md items-center gap-3 rounded-xl border border-line bg-raised py-2 pr-2 pl-4 text-sm shadow-xl">
                    <span class=if toast.good { "text-positive" } else { "text-danger" }>
                        <Icon sign=if toast.good { Sign::Check } else { Sign::Warning }/>
                    </span>
                    <span class="min-w-0 flex-1">{toast.text}</span>
                    <span class="pointer-events-auto">
                        <IconButton
                            label="Dismiss"
                            sign=Sign::Cross
                            on:click=move |_| toasts.remove(toast.id)
                        />
                    </span>
                </div>
            </For>
        </div>
    }
}
