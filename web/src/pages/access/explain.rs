//! Why somebody may reach something, or not: asked of the draft.

mod answer;

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{
        Action,
        node::Node,
        policy::explain::{ExplainPolicy, Explained},
        user::User,
    },
    paths::NodesPath,
};

use super::{
    super::{loaded::Problem, scope::Scope},
    draft::Draft,
};
use crate::{
    api,
    components::{
        button::{Button, Tone},
        id::fresh,
        panel::Panel,
        segmented::Segmented,
        select_field::SelectField,
        suggest_field::SuggestField,
        text_field::TextField,
    },
    model::explain::{Ask, Form, names},
    query::{Query, Topic, query},
    submit::Submit,
};
use answer::Answer;

/// The fields.
#[derive(Clone, Copy)]
struct Fields {
    ask: RwSignal<Ask>,
    from: RwSignal<String>,
    to: RwSignal<String>,
    protocol: RwSignal<String>,
    ports: RwSignal<String>,
    login: RwSignal<String>,
}

impl Fields {
    fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            ask: RwSignal::new(Ask::default()),
            from: empty(),
            to: empty(),
            protocol: RwSignal::new("tcp".to_owned()),
            ports: empty(),
            login: RwSignal::new("root".to_owned()),
        }
    }

    fn form(self) -> Form {
        Form {
            from: self.from.get_untracked(),
            to: self.to.get_untracked(),
            protocol: self.protocol.get_untracked(),
            ports: self.ports.get_untracked(),
            login: self.login.get_untracked(),
        }
    }
}

/// An answer, and the text that its places point into.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    text: String,
    explained: Explained,
}

/// The questions and the answer.
#[component]
pub(super) fn Explain(draft: Draft, members: Signal<Option<Arc<Vec<User>>>>) -> impl IntoView {
    let scope = Scope::expect();
    let submit = Submit::new();
    let fields = Fields::new();
    let told = RwSignal::new(None::<Arc<Told>>);
    let ask = move || {
        let text = draft.text();
        let asked = ExplainPolicy {
            document: Some(text.clone()),
            revision: None,
            question: fields.form().question(fields.ask.get_untracked()),
        };
        told.set(None);
        submit.run(
            &[],
            api::policy::explain(scope.tenant(), asked),
            move |explained| told.set(Some(Arc::new(Told { text, explained }))),
        );
    };
    let words = suggestions(draft, members);
    view! {
        <section class="mt-6" data-testid="policy-explain">
            <Panel
                title="Who may reach what, and why"
                help="Answers by the policy as it stands in the editor, saved or not. Names are those of people, groups, tags, hosts and machines; addresses work too."
            >
                <form
                    class="grid grid-cols-[minmax(0,1fr)] gap-4"
                    on:submit=move |ev| {
                        ev.prevent_default();
                        ask();
                    }
                >
                    <div>
                        <Segmented
                            label="Question"
                            options=Ask::ALL
                                .map(|ask| (ask.word().to_owned(), ask.title().to_owned()))
                                .to_vec()
                            value=Signal::derive(move || fields.ask.get().word().to_owned())
                            on_change=move |word: String| {
                                fields.ask.set(Ask::parse(&word));
                                told.set(None);
                                submit.reset();
                            }
                        />
                    </div>
                    {move || view! { <Ends ask=fields.ask.get() fields submit words/> }}
                    <div>
                        <Button tone=Tone::Primary submit=true busy=submit.busy()>
                            "Explain"
                        </Button>
                    </div>
                </form>
                <div class="mt-4 grid grid-cols-[minmax(0,1fr)] gap-4 empty:hidden" aria-live="polite">
                    <Problem failure=Signal::derive(move || {
                        submit.failure().get().filter(|f| f.field("/question").is_none())
                    })/>
                    {move || told.get().map(|told| view! { <Answer told draft/> })}
                </div>
            </Panel>
        </section>
    }
}

/// The fields of the question that is chosen.
#[component]
fn Ends(ask: Ask, fields: Fields, submit: Submit, words: Signal<Vec<String>>) -> impl IntoView {
    let list = fresh("names");
    let protocols = [
        ("tcp", "TCP"),
        ("udp", "UDP"),
        ("icmp", "Ping (ICMP)"),
        ("sctp", "SCTP"),
    ];
    let protocols = protocols.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let has_ports = move || fields.protocol.with(|p| p != "icmp");
    view! {
        <div class="grid gap-4 sm:grid-cols-2 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_9rem_9rem]">
            {(ask != Ask::WhoReaches)
                .then(|| {
                    view! {
                        <SuggestField
                            label="From"
                            value=fields.from
                            placeholder="ada@example.com, group:ops"
                            error=submit.field("/question/from")
                            list=list.clone()
                        />
                    }
                })}
            <SuggestField
                label="To"
                value=fields.to
                placeholder="tag:server, a machine, 192.0.2.7"
                error=submit.field("/question/to")
                list=list.clone()
            />
            {if ask == Ask::SignIn {
                view! {
                    <TextField label="Login name" value=fields.login error=submit.field("/question/login")/>
                }
                    .into_any()
            } else {
                view! {
                    <SelectField
                        label="Protocol"
                        value=fields.protocol
                        options=protocols.to_vec()
                        error=submit.field("/question/traffic/protocol")
                    />
                    <Show when=has_ports>
                        <TextField
                            label="Port"
                            value=fields.ports
                            placeholder="any, 443, 80-90"
                            error=submit.field("/question/traffic/ports")
                        />
                    </Show>
                }
                    .into_any()
            }}
            <datalist id=list>
                {move || {
                    words
                        .get()
                        .into_iter()
                        .map(|word| view! { <option value=word></option> })
                        .collect_view()
                }}
            </datalist>
        </div>
    }
}

/// Names of the draft and of the tenant.
fn suggestions(draft: Draft, members: Signal<Option<Arc<Vec<User>>>>) -> Signal<Vec<String>> {
    let scope = Scope::expect();
    let url = scope.may(Action::ViewNodes).then(|| {
        NodesPath {
            tenant: scope.tenant(),
        }
        .to_path()
    });
    let nodes: Query<Vec<Node>> = query(Topic::Nodes, move || url.clone());
    let names = Memo::new(move |_| {
        let judgement = draft.judgement();
        let (document, _) = ::policy::parse(&judgement.text);
        let (users, nodes) = (members.get(), nodes.data.get());
        let users = users.as_deref().map(Vec::as_slice).unwrap_or_default();
        let nodes = nodes.as_deref().map(Vec::as_slice).unwrap_or_default();
        names(&document, users, nodes)
    });
    names.into()
}
