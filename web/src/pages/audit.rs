//! Who did what, the newest first.

use leptos::{prelude::*, task::spawn_local};
use wire::{
    api::{Page, audit::AuditRecord},
    paths::AuditPath,
};

use super::{ago::Ago, loaded::Problem, scope::Scope};
use crate::{
    api::{self, Failure},
    components::{
        button::Button,
        empty::Empty,
        icon::Sign,
        page_header::PageHeader,
        skeleton::Skeleton,
        table::{Column, Shown, Table},
    },
    model::{audit, query_string},
    session::Session,
};

/// The pages loaded so far.
#[derive(Clone, Copy)]
struct Log {
    records: RwSignal<Vec<AuditRecord>>,
    next: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    session: Session,
    path: StoredValue<String>,
}

impl Log {
    fn new(scope: Scope) -> Self {
        let path = AuditPath {
            tenant: scope.tenant(),
        };
        Self {
            records: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            session: Session::expect(),
            path: StoredValue::new(path.to_path()),
        }
    }

    /// Loads the page after what is there.
    fn load(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        let cursor = self.next.get_untracked().unwrap_or_default();
        let url = format!(
            "{}{}",
            self.path.get_value(),
            query_string::set("", "cursor", &cursor)
        );
        spawn_local(async move {
            let answer = api::get::<Page<AuditRecord>>(&url).await;
            let _ = self.busy.try_set(false);
            match answer {
                Ok(page) => {
                    let _ = self
                        .records
                        .try_update(|records| records.extend(page.items));
                    let _ = self.next.try_set(page.next);
                }
                Err(failure) if failure.is_unauthenticated() => self.session.ended(),
                Err(failure) => {
                    let _ = self.failure.try_set(Some(failure));
                }
            }
        });
    }

    fn restart(self) {
        self.records.set(Vec::new());
        self.next.set(None);
        self.load();
    }
}

/// The page.
#[component]
pub(crate) fn Audit() -> impl IntoView {
    let log = Log::new(Scope::expect());
    log.load();
    let none = move || log.records.with(Vec::is_empty);
    view! {
        <PageHeader title="Audit" help="Every change by a person, a key or the server itself. Records cannot be changed.">
            <Button busy=log.busy on:click=move |_| log.restart()>
                "Refresh"
            </Button>
        </PageHeader>
        <div class="mb-4 empty:hidden">
            <Problem failure=log.failure/>
        </div>
        <Show when=move || none() && log.busy.get()>
            <Skeleton lines=8/>
        </Show>
        <Show when=move || none() && !log.busy.get() && log.failure.with(Option::is_none)>
            <div class="rounded-xl border border-line bg-surface">
                <Empty sign=Sign::List title="Nothing yet" hint="The first change in this network appears here."/>
            </div>
        </Show>
        <Show when=move || !none()>
            <Records log/>
        </Show>
        <Show when=move || log.next.with(Option::is_some) || (!none() && log.failure.with(Option::is_some))>
            <div class="mt-4 text-center">
                <Button busy=log.busy on:click=move |_| log.load()>
                    "Load older records"
                </Button>
            </div>
        </Show>
    }
}

#[component]
fn Records(log: Log) -> impl IntoView {
    view! {
        <Table
            label="Audit records"
            columns=vec![
                Column { name: "Event", shown: Shown::Always },
                Column { name: "By", shown: Shown::Medium },
                Column { name: "Details", shown: Shown::Large },
                Column { name: "When", shown: Shown::Medium },
            ]
        >
            <For each=move || log.records.get() key=|record| record.id let:record>
                <Row record/>
            </For>
        </Table>
    }
}

#[component]
fn Row(record: AuditRecord) -> impl IntoView {
    let details = audit::details(&record);
    let listed = details
        .iter()
        .map(|line| view! { <li class="break-words">{line.clone()}</li> })
        .collect_view();
    let actor = audit::actor(&record.actor);
    view! {
        <tr data-testid="audit-row" data-event=record.event>
            <td class=Shown::Always.cell()>
                <div class="grid min-w-0 gap-0.5">
                    <span class="font-medium">{audit::event(&record.event)}</span>
                    <span class="wrap-anywhere text-muted">{record.target.clone()}</span>
                    <span class="text-muted md:hidden">
                        {actor.clone()} ", " <Ago then=record.at/>
                    </span>
                </div>
            </td>
            <td class=format!("{} wrap-anywhere", Shown::Medium.cell())>{actor}</td>
            <td class=Shown::Large.cell()>
                <ul class="grid max-w-md gap-0.5 text-muted">{listed}</ul>
            </td>
            <td class=Shown::Medium.cell()>
                <Ago then=record.at/>
            </td>
        </tr>
    }
}
