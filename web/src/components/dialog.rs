//! A modal dialog on the browser's own element: it traps the focus, gives it
//! back, and closes on Escape by itself.

use leptos::{html, prelude::*};

use super::{button::IconButton, icon::Sign, id::fresh};

/// How wide a dialog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Width {
    /// For a form.
    #[default]
    Narrow,
    /// For texts and commands.
    Wide,
}

/// A dialog; its content is made anew each time it opens.
#[component]
pub(crate) fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// What tests find it by.
    name: &'static str,
    #[prop(optional)] width: Width,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let heading = fresh("dialog");
    let labelled = heading.clone();
    Effect::new(move |_| {
        let wanted = open.get();
        let Some(dialog) = node.get() else {
            return;
        };
        // A frame later its content is there, and with it the field to focus.
        request_animation_frame(move || {
            if wanted && !dialog.open() && dialog.is_connected() {
                let _ = dialog.show_modal();
            } else if !wanted && dialog.open() {
                dialog.close();
            }
        });
    });
    let size = match width {
        Width::Narrow => "max-w-lg",
        Width::Wide => "max-w-3xl",
    };
    view! {
        <dialog
            node_ref=node
            class=format!("dialog {size}")
            aria-labelledby=labelled
            data-testid=name
            on:close=move |_| open.set(false)
        >
            <Show when=move || open.get()>
                <div class="grid gap-4 p-5 sm:p-6">
                    <header class="flex items-start justify-between gap-4">
                        <h2 id=heading.clone() class="text-lg font-semibold text-balance">
                            {move || title.get()}
                        </h2>
                        <IconButton label="Close" sign=Sign::Cross on:click=move |_| open.set(false)/>
                    </header>
                    {children()}
                </div>
            </Show>
        </dialog>
    }
}

/// The row of buttons at a dialog's end.
#[component]
pub(crate) fn DialogActions(children: Children) -> impl IntoView {
    view! { <div class="mt-2 flex flex-wrap justify-end gap-2">{children()}</div> }
}
