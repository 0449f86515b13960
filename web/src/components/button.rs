//! Buttons, and links that look like them.

use leptos::prelude::*;

/// How loud a button is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// What the page is for.
    Primary,
    /// Anything else.
    #[default]
    Plain,
    /// It takes something away.
    Danger,
    /// Nearly text.
    Quiet,
}

const SHAPE: &str = "inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg px-3.5 py-1.5 text-sm \
     font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 \
     pointer-coarse:min-h-11";

fn colours(tone: Tone) -> &'static str {
    match tone {
        Tone::Primary => "bg-accent text-on-accent hover:enabled:bg-accent-strong",
        Tone::Plain => "border border-line-strong bg-surface text-ink hover:enabled:bg-sunken",
        Tone::Danger => "bg-danger text-on-danger hover:enabled:bg-danger-strong",
        Tone::Quiet => "text-muted hover:enabled:bg-sunken hover:enabled:text-ink",
    }
}

/// A button. `on:click` is given by its user; `submit` sends the form around it.
#[component]
pub(crate) fn Button(
    #[prop(optional)] tone: Tone,
    #[prop(optional)] submit: bool,
    /// It works at the moment and takes no further press.
    #[prop(optional, into)]
    busy: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Why it is disabled.
    #[prop(optional, into)]
    title: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=format!("{SHAPE} {}", colours(tone))
            disabled=move || disabled.get() || busy.get()
            aria-busy=move || busy.get().then_some("true")
            title=move || title.get()
        >
            <Show when=move || busy.get()>
                <span class="spinner" aria-hidden="true"></span>
            </Show>
            {children()}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub(crate) fn LinkButton(
    #[prop(optional)] tone: Tone,
    #[prop(into)] href: Signal<String>,
    children: Children,
) -> impl IntoView {
    let colours = colours(tone).replace("hover:enabled:", "hover:");
    view! {
        <a class=format!("{SHAPE} {colours}") href=move || href.get()>
            {children()}
        </a>
    }
}

/// A small round button with a sign and a name for those who cannot see it.
#[component]
pub(crate) fn IconButton(
    #[prop(into)] label: Signal<String>,
    sign: super::icon::Sign,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="inline-grid size-8 place-items-center rounded-lg text-muted transition-colors hover:bg-sunken \
            hover:text-ink pointer-coarse:size-11"
            aria-label=move || label.get()
            title=move || label.get()
        >
            <super::icon::Icon sign/>
        </button>
    }
}
