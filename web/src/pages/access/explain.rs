//! Why somebody may reach something, or not: asked of the draft.

mod answer;

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{
        Action,
        node::Node,
        policy::{
            Revision,
            explain::{ExplainPolicy, Explained},
        },
        user::User,
    },
    paths::{NodesPath, PolicyRevisionsPath},
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
    /// The id of a revision; empty: the text in the editor.
    revision: RwSignal<String>,
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
            revision: empty(),
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

/// An answer, and what its places point into.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    by: By,
    explained: Explained,
}

/// What is answered by.
#[derive(Debug, Clone, PartialEq)]
enum By {
    /// A text of the editor.
    Text(String),
    /// The revision of this number.
    Revision(u64),
}

/// The questions and the answer.
#[component]
pub(super) fn Explain(draft: Draft, members: Signal<Option<Arc<Vec<User>>>>) -> impl IntoView {
    let scope = Scope::expect();
    let submit = Submit::new();
    let fields = Fields::new();
    let told = RwSignal::new(None::<Arc<Told>>);
    let revisions = revisions(scope);
    let ask = move || {
        let chosen = revisions.data.with_untracked(|all| {
            let mut all = all.iter().flat_map(|all| all.iter());
            let id = fields.revision.get_untracked();
            all.find(|r| r.id.to_string() == id).cloned()
        });
        let asked = ExplainPolicy {
            document: chosen.is_none().then(|| draft.text()),
            revision: chosen.as_ref().map(|r| r.id),
            question: fields.form().question(fields.ask.get_untracked()),
        };
        let by = match chosen {
            Some(revision) => By::Revision(revision.number),
            None => By::Text(draft.text()),
        };
        told.set(None);
        submit.run(
            &[],
            api::policy::explain(scope.tenant(), asked),
            move |explained| told.set(Some(Arc::new(Told { by, explained }))),
        );
    };
    let words = suggestions(draft, members);
    view! {
        <section class="mt-6" data-testid="policy-explain">
            <Panel
                title="Who may reach what, and why"
                help="Answers by the text in the editor, saved or not, or by a revision. Names are those of people, groups, tags, hosts and machines; addresses work too."
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
                    <div class="flex flex-wrap items-end gap-4">
                        <div class="min-w-0 basis-72">
                            {move || view! { <Which fields revisions=revisions.data.get()/> }}
                        </div>
                        <Button tone=Tone::Primary submit=true busy=submit.busy()>
                            "Explain"
                        </Button>
                    </div>
                </form>
                <div class="mt-4 grid grid-cols-[minmax(0,1fr)] gap-4 empty:hidden" aria-live="polite">
                    <Problem failure=submit.failure()/>
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
            {ask.has_source()
                .then(|| {
                    view! {
                        <TextField
                            label="From"
                            value=fields.from
                            placeholder="ada@example.com, group:ops"
                            error=submit.field("/question/from", fields.from)
                            list=list.clone()
                        />
                    }
                })}
            <TextField
                label="To"
                value=fields.to
                placeholder="tag:server, a machine, 192.0.2.7"
                error=submit.field("/question/to", fields.to)
                list=list.clone()
            />
            {if ask.is_of_ssh() {
                view! {
                    <TextField label="Login name" value=fields.login error=submit.field("/question/login", fields.login)/>
                }
                    .into_any()
            } else {
                view! {
                    <SelectField
                        label="Protocol"
                        value=fields.protocol
                        options=protocols.to_vec()
                        error=submit.field("/question/traffic/protocol", fields.protocol)
                    />
                    <Show when=has_ports>
                        <TextField
                            label="Port"
                            value=fields.ports
                            placeholder="any, 443, 80-90"
                            error=submit.field("/question/traffic/ports", fields.ports)
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

fn revisions(scope: Scope) -> Query<Vec<Revision>> {
    let tenant = scope.tenant();
    query(Topic::Policy, move || {
        Some(PolicyRevisionsPath { tenant }.to_path())
    })
}

/// What the question is answered by.
#[component]
fn Which(fields: Fields, revisions: Option<Arc<Vec<Revision>>>) -> impl IntoView {
    let mut options = vec![(String::new(), "The text in the editor".to_owned())];
    let all = revisions.iter().flat_map(|all| all.iter()).enumerate();
    options.extend(all.map(|(at, revision)| {
        let in_force = if at == 0 { " (in force)" } else { "" };
        let title = format!("Revision {}{in_force}", revision.number);
        (revision.id.to_string(), title)
    }));
    view! { <SelectField label="By" value=fields.revision options/> }
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
