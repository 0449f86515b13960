//! What to do without a session and without a link.

use leptos::prelude::*;
use wire::paths::one_time_link;

use crate::{
    components::{
        button::{Button, Tone},
        page_header::PageHeader,
        text_field::TextField,
    },
    location::{Location, Step},
    model,
};

/// The note and a field for a link that was pasted.
#[component]
pub(crate) fn HowToSignIn() -> impl IntoView {
    let location: Location = expect_context();
    let pasted = RwSignal::new(String::new());
    let error = RwSignal::new(None);
    let submit = move || match model::link::token(&pasted.get_untracked()) {
        Some(token) => location.go(&one_time_link("", &token), Step::Push),
        None => error.set(Some(
            "This is not a sign-in link. Copy the whole link, with everything after #.".to_owned(),
        )),
    };
    view! {
        <PageHeader
            title="Sign in"
            help="You sign in with a one-time link. Open the link you were given, or paste it here."
        />
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                submit();
            }
        >
            <TextField label="One-time link" value=pasted error autofocus=true/>
            <div>
                <Button tone=Tone::Primary submit=true>
                    "Continue"
                </Button>
            </div>
        </form>
        <details class="mt-6 text-sm">
            <summary class="link w-fit">"No link?"</summary>
            <div class="mt-3 grid gap-2 text-muted">
                <p>"An administrator makes one for you on the Users page."</p>
                <p>
                    "With a shell on the server: "
                    <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">
                        "warren-server login-link --email you@example.com"
                    </code>
                </p>
                <p>
                    "On a new server without an owner: "
                    <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">"warren-server setup-link"</code>
                </p>
            </div>
        </details>
    }
}
