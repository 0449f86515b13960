//! The top of a page: its name, a line of help, what can be done.

use leptos::{html, prelude::*};

/// The header. The heading takes the focus when the page opens, so that a
/// screen reader says where one is.
#[component]
pub(crate) fn PageHeader(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] help: Signal<String>,
    /// Where the page belongs: a path and its name.
    #[prop(optional)]
    back: Option<(String, String)>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        document().set_title(&format!("{} · Warren", title.get()));
        if let Some(heading) = heading.get() {
            let nothing_focused = document()
                .active_element()
                .is_none_or(|e| e.tag_name() == "BODY");
            if nothing_focused {
                let _ = heading.focus();
            }
        }
    });
    view! {
        <header class="mb-5 grid gap-1">
            {back
                .map(|(href, name)| {
                    view! {
                        <a class="link inline-flex w-fit items-center gap-1 text-sm" href=href>
                            <super::icon::Icon sign=super::icon::Sign::Back/>
                            {name}
                        </a>
                    }
                })}
            <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
                <div class="grid min-w-0 gap-1">
                    <h1 node_ref=heading tabindex="-1" class="text-2xl font-semibold tracking-tight break-words outline-none">
                        {move || title.get()}
                    </h1>
                    <p class="max-w-3xl text-sm text-muted empty:hidden">{move || Some(help.get()).filter(|h| !h.is_empty())}</p>
                </div>
                {children.map(|children| view! { <div class="flex flex-wrap gap-2">{children()}</div> })}
            </div>
        </header>
    }
}
