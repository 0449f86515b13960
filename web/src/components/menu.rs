//! A button that opens a short list, on the browser's own popover: it closes on
//! Escape and on a press elsewhere by itself.

use leptos::{html, prelude::*};

use super::id::fresh;

/// The button and its list. Entries are [`MenuItem`]s and [`MenuLink`]s.
#[component]
pub(crate) fn Menu(
    #[prop(into)] label: String,
    name: &'static str,
    /// The button takes all the room there is.
    #[prop(optional)]
    wide: bool,
    /// What the button shows.
    button: ViewFn,
    children: Children,
) -> impl IntoView {
    let id = fresh("menu");
    let list = NodeRef::<html::Div>::new();
    let close = move |_| {
        if let Some(list) = list.get_untracked() {
            let _ = list.hide_popover();
        }
    };
    view! {
        <button
            type="button"
            class=if wide { format!("{BUTTON} w-full") } else { BUTTON.to_owned() }
            popovertarget=id.clone()
            data-testid=name
        >
            <span class="sr-only">{label}</span>
            {button.run()}
        </button>
        <div
            node_ref=list
            id=id
            popover="auto"
            class="menu min-w-52 rounded-xl border border-line bg-raised p-1 text-ink shadow-xl"
            on:click=close
        >
            {children()}
        </div>
    }
}

const BUTTON: &str = "inline-flex min-h-9 min-w-9 max-w-full items-center justify-center gap-2 rounded-lg px-2 py-1 \
     text-sm hover:bg-sunken pointer-coarse:min-h-11 pointer-coarse:min-w-11";

const ENTRY: &str = "flex w-full min-h-9 items-center gap-2.5 rounded-lg px-3 py-1.5 text-left text-sm hover:bg-sunken \
     focus-visible:bg-sunken pointer-coarse:min-h-11";

/// An entry that does something.
#[component]
pub(crate) fn MenuItem(
    #[prop(optional, into)] checked: Option<Signal<bool>>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=ENTRY
            aria-pressed=move || checked.map(|c| c.get().to_string())
        >
            {children()}
        </button>
    }
}

/// An entry that leads somewhere.
#[component]
pub(crate) fn MenuLink(
    #[prop(into)] href: String,
    #[prop(optional)] current: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class=ENTRY href=href aria-current=current.then_some("true")>
            {children()}
        </a>
    }
}
