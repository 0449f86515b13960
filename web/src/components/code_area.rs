//! A code editor in its own chunk; a plain field where the chunk cannot be had.

use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};

use super::skeleton::Skeleton;

#[wasm_bindgen(module = "/js/bridge.js")]
extern "C" {
    type CodeEditor;

    #[wasm_bindgen(catch)]
    async fn mount_editor(
        parent: &web_sys::HtmlElement,
        text: &str,
        label: &str,
        read_only: bool,
        calls: js_sys::Array,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    fn set_text(this: &CodeEditor, text: &str);
    #[wasm_bindgen(method)]
    fn set_findings(this: &CodeEditor, json: &str);
    #[wasm_bindgen(method)]
    fn set_tests(this: &CodeEditor, json: &str);
    #[wasm_bindgen(method)]
    fn set_read_only(this: &CodeEditor, on: bool);
    #[wasm_bindgen(method)]
    fn reveal(this: &CodeEditor, place: u32);
    #[wasm_bindgen(method)]
    fn destroy(this: &CodeEditor);
}

/// What the page tells the editor.
#[derive(Clone, Copy)]
pub(crate) struct CodeControl {
    /// The text; set by the page and by typing.
    pub(crate) text: RwSignal<String>,
    /// Marks, as JSON.
    pub(crate) findings: Signal<String>,
    /// Marks beside lines with tests, as JSON.
    pub(crate) tests: Signal<String>,
    /// What can be written at a place, in UTF-16 units: JSON.
    pub(crate) offers: Callback<u32, String>,
    /// What stands at a place: JSON.
    pub(crate) hover: Callback<u32, String>,
    /// Nothing can be typed.
    pub(crate) read_only: Signal<bool>,
    /// Where to put the caret next, in UTF-16 units.
    pub(crate) reveal: RwSignal<Option<u32>>,
}

type Handle = RwSignal<Option<CodeEditor>, LocalStorage>;

/// The editor.
#[component]
pub(crate) fn CodeArea(
    control: CodeControl,
    #[prop(into)] label: String,
    /// What tests find it by.
    name: &'static str,
    /// The shortcut for saving was pressed.
    #[prop(into)]
    on_save: Callback<()>,
    /// The chunk could not be loaded.
    #[prop(into)]
    on_failure: Callback<()>,
) -> impl IntoView {
    let host = NodeRef::<html::Div>::new();
    let handle: Handle = RwSignal::new_local(None);
    let failed = RwSignal::new(false);
    let plain_label = label.clone();
    let calls = Calls {
        changed: Closure::new(move |text: String| control.text.set(text)),
        save: Closure::new(move || on_save.run(())),
        offers: Closure::new(move |place| control.offers.run(place)),
        hover: Closure::new(move |place| control.hover.run(place)),
    };
    let functions = calls.functions();
    // The editor calls them until it is destroyed, which happens first.
    let calls = StoredValue::new_local(Some(calls));

    Effect::new(move |_| {
        let Some(host) = host.get() else {
            return;
        };
        let label = label.clone();
        let functions = functions.clone();
        spawn_local(async move {
            let text = control.text.get_untracked();
            let read_only = control.read_only.get_untracked();
            let mounted = mount_editor(&host, &text, &label, read_only, functions).await;
            if let Ok(editor) = mounted {
                if let Some(late) = handle.try_set(Some(editor.unchecked_into())).flatten() {
                    late.destroy();
                }
            } else {
                let _ = failed.try_set(true);
                let _ = on_failure.try_run(());
            }
        });
    });
    drive(handle, control);
    on_cleanup(move || {
        handle.with_untracked(|editor| editor.as_ref().map(CodeEditor::destroy));
        calls.set_value(None);
    });

    view! {
        <div class="relative h-full min-h-0" data-testid=name>
            <div node_ref=host class="h-full min-h-0"></div>
            <Show when=move || failed.get()>
                <textarea
                    class="absolute inset-0 h-full w-full resize-none bg-surface p-4 font-mono text-sm"
                    aria-label=plain_label.clone()
                    spellcheck="false"
                    readonly=move || control.read_only.get()
                    prop:value=move || control.text.get()
                    on:input:target=move |ev| control.text.set(ev.target().value())
                ></textarea>
            </Show>
            <Show when=move || handle.with(Option::is_none) && !failed.get()>
                <div class="absolute inset-0 bg-surface">
                    <Skeleton lines=9/>
                </div>
            </Show>
        </div>
    }
}

struct Calls {
    changed: Closure<dyn FnMut(String)>,
    save: Closure<dyn FnMut()>,
    offers: Closure<dyn FnMut(u32) -> String>,
    hover: Closure<dyn FnMut(u32) -> String>,
}

impl Calls {
    /// In the order in which the bridge takes them.
    fn functions(&self) -> js_sys::Array {
        js_sys::Array::of4(
            self.changed.as_ref(),
            self.save.as_ref(),
            self.offers.as_ref(),
            self.hover.as_ref(),
        )
    }
}

/// Hands on to the editor what the page wants.
fn drive(handle: Handle, control: CodeControl) {
    let tell = move |act: &dyn Fn(&CodeEditor)| {
        handle.with(|editor| {
            if let Some(editor) = editor {
                act(editor);
            }
        });
    };
    Effect::new(move |_| {
        control
            .text
            .with(|text| tell(&|editor| editor.set_text(text)));
    });
    Effect::new(move |_| {
        control
            .findings
            .with(|json| tell(&|editor| editor.set_findings(json)));
    });
    Effect::new(move |_| {
        control
            .tests
            .with(|json| tell(&|editor| editor.set_tests(json)));
    });
    Effect::new(move |_| {
        let on = control.read_only.get();
        tell(&|editor| editor.set_read_only(on));
    });
    Effect::new(move |_| {
        if let Some(place) = control.reveal.get() {
            tell(&|editor| editor.reveal(place));
            control.reveal.set(None);
        }
    });
}
