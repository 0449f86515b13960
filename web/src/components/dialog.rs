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
                <header class="flex items-start justify-between gap-4 px-5 pt-5 pb-3 sm:px-6 sm:pt-6">
                    <h2 id=heading.clone() class="text-lg font-semibold text-balance break-words">
                        {move || title.get()}
                    </h2>
                    <IconButton label="Close" sign=Sign::Cross on:click=move |_| open.set(false)/>
                </header>
                <div class="dialog-content grid grid-cols-[minmax(0,1fr)] gap-4 px-5 pt-1 sm:px-6">
                    {children()}
                </div>
            </Show>
        </dialog>
    }
}

/// The flag of a dialog about a subject: it opens when the subject is its own, and closing it
/// takes the subject away.
pub(crate) fn open_while<T: Send + Sync + 'static>(
    subject: RwSignal<Option<T>>,
    is_own: impl Fn(&T) -> bool + Send + Sync + 'static,
) -> RwSignal<bool> {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if subject.with(|subject| subject.as_ref().is_some_and(&is_own)) {
            open.set(true);
        }
    });
    Effect::new(move |before: Option<bool>| {
        let now = open.get();
        if before == Some(true) && !now {
            subject.set(None);
        }
        now
    });
    open
}

/// The row of buttons at a dialog's end; it stays in sight while what is above it scrolls.
#[component]
pub(crate) fn DialogActions(children: Children) -> impl IntoView {
    view! {
        <div class="dialog-actions sticky bottom-0 z-10 -mx-5 flex flex-wrap justify-end gap-2 border-t border-line bg-raised \
        px-5 py-3.5 sm:-mx-6 sm:px-6">
            {children()}
        </div>
    }
}
