//! Asks before something is done, and says what it will mean.

use leptos::prelude::*;

use super::{
    button::{Button, Tone},
    dialog::{Dialog, DialogActions},
    text_field::TextField,
};

/// A question with its consequence. The act runs outside: `on_confirm` starts
/// it, `busy` and the failure drawn in `children` tell how it stands.
#[component]
pub(crate) fn Confirm(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    name: &'static str,
    /// The word on the button.
    #[prop(into)]
    act: String,
    #[prop(default = Tone::Danger)] tone: Tone,
    #[prop(into)] busy: Signal<bool>,
    /// Must be typed first, when not empty.
    #[prop(optional, into)]
    typed: Signal<String>,
    #[prop(into)] on_confirm: Callback<()>,
    children: ChildrenFn,
) -> impl IntoView {
    let children = StoredValue::new(children);
    let act = StoredValue::new(act);
    view! {
        <Dialog open title name>
            {
                let answer = RwSignal::new(String::new());
                let missing = Signal::derive(move || {
                    typed.with(|typed| !typed.is_empty() && answer.with(|a| a.trim() != typed))
                });
                view! {
                    <form
                        class="grid gap-4"
                        on:submit=move |ev| {
                            ev.prevent_default();
                            if !missing.get_untracked() {
                                on_confirm.run(());
                            }
                        }
                    >
                        <div class="grid gap-3 text-sm">{children.with_value(|c| c())}</div>
                        <Show when=move || typed.with(|typed| !typed.is_empty())>
                            <TextField
                                label=format!("Type {} to confirm", typed.get_untracked())
                                name="confirm"
                                value=answer
                                autofocus=true
                            />
                        </Show>
                        <DialogActions>
                            <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                            <Button tone submit=true busy disabled=missing>
                                {act.get_value()}
                            </Button>
                        </DialogActions>
                    </form>
                }
            }
        </Dialog>
    }
}
