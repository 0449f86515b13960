//! What stands around a tenant's pages: the menu, the tenant switcher, the account.

use leptos::{html, prelude::*};
use wire::api::me::{Me, Membership};

use super::{blank::Brand, scope::Scope};
use crate::{
    components::{
        confirm::Confirm,
        icon::{Icon, Sign},
        menu::{Menu, MenuItem, MenuLink},
    },
    live::Live,
    route::TenantPage,
    session::Session,
    theme::{Choice, Theme},
    unsaved::Drafts,
};

/// The frame.
#[component]
pub(crate) fn Shell(me: Me, page: Memo<TenantPage>, children: Children) -> impl IntoView {
    let memberships = me.memberships.clone();
    view! {
        <a
            href="#main"
            class="sr-only z-50 rounded-lg bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
            "Skip to the content"
        </a>
        <div class="min-h-dvh lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
            <header class="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 pt-2 sm:px-5 \
            lg:sticky lg:top-0 lg:h-dvh lg:flex-col lg:flex-nowrap lg:items-stretch lg:gap-3 lg:border-r lg:border-b-0 \
            lg:px-3 lg:py-4">
                <a href="/" class="inline-flex rounded-lg px-1 lg:px-2" aria-label="Warren, start">
                    <Brand/>
                </a>
                <div class="min-w-0 flex-1 lg:flex-none">
                    <Switcher memberships/>
                </div>
                <div class="lg:order-last lg:border-t lg:border-line lg:pt-3">
                    <Account me/>
                </div>
                <nav
                    class="order-last -mx-3 flex w-[calc(100%+1.5rem)] gap-1 overflow-x-auto px-3 pb-2 sm:-mx-5 \
                    sm:w-[calc(100%+2.5rem)] sm:px-5 lg:order-none lg:mx-0 lg:w-auto lg:flex-1 lg:flex-col lg:px-0"
                    aria-label="Pages"
                >
                    {TenantPage::MENU.map(|entry| view! { <Entry entry page/> }).collect_view()}
                </nav>
            </header>
            <div class="min-w-0">
                <Connection/>
                <main id="main" tabindex="-1" class="mx-auto w-full max-w-6xl px-4 pt-6 pb-24 outline-none sm:px-6 lg:px-8 lg:pt-8">
                    {children()}
                </main>
            </div>
        </div>
    }
}

fn sign(page: TenantPage) -> Sign {
    match page {
        TenantPage::Machines | TenantPage::Machine(_) | TenantPage::AddDevice => Sign::Machines,
        TenantPage::AccessControls | TenantPage::Revisions => Sign::Shield,
        TenantPage::Users => Sign::Users,
        TenantPage::AuthKeys => Sign::Key,
        TenantPage::Audit => Sign::List,
        TenantPage::Settings => Sign::Gear,
    }
}

#[component]
fn Entry(entry: TenantPage, page: Memo<TenantPage>) -> impl IntoView {
    let scope = Scope::expect();
    let drafts = Drafts::expect();
    let link = NodeRef::<html::A>::new();
    // On a narrow screen the menu is a row that scrolls; its current entry stays in sight.
    Effect::new(move |_| {
        let current = page.get().section() == entry;
        if let Some(link) = link.get().filter(|_| current)
            && let Some(row) = link.parent_element()
        {
            row.set_scroll_left(link.offset_left() - 16);
        }
    });
    let allowed = entry.needs().is_none_or(|action| scope.may(action));
    allowed.then(|| {
        view! {
            <a
                node_ref=link
                href=scope.path(entry)
                class="inline-flex min-h-9 items-center gap-2.5 rounded-lg px-3 text-sm whitespace-nowrap text-muted \
                hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium \
                aria-[current=page]:text-accent-ink pointer-coarse:min-h-11"
                aria-current=move || (page.get().section() == entry).then_some("page")
            >
                <Icon sign=sign(entry)/>
                {entry.title()}
                <Show when=move || entry == TenantPage::AccessControls && drafts.has(&scope.draft_key())>
                    <span
                        class="size-2 shrink-0 rounded-full bg-caution"
                        role="img"
                        aria-label="unsaved changes"
                        title="Unsaved changes"
                    ></span>
                </Show>
            </a>
        }
    })
}

#[component]
fn Switcher(memberships: Vec<Membership>) -> impl IntoView {
    let scope = Scope::expect();
    let here = scope.tenant();
    let entries = memberships
        .into_iter()
        .map(|m| {
            let current = m.tenant == here;
            view! {
                <MenuLink href=TenantPage::first_for(m.role).path(&m.slug) current>
                    <Initial name=m.name.clone()/>
                    <span class="grid min-w-0 flex-1">
                        <span class="truncate font-medium">{m.name.clone()}</span>
                        <span class="text-xs text-muted">{m.role.title()}</span>
                    </span>
                    {current.then(|| view! { <Icon sign=Sign::Check/> })}
                </MenuLink>
            }
        })
        .collect_view();
    let name = scope.name();
    let label = "Switch network:";
    let button = move || {
        view! {
            <Initial name=name.clone()/>
            <span class="min-w-0 flex-1 truncate text-left font-medium">{name.clone()}</span>
            <span class="text-muted">
                <Icon sign=Sign::Switch/>
            </span>
        }
    };
    view! {
        <Menu label name="tenant-switcher" wide=true button=ViewFn::from(button)>
            {entries}
        </Menu>
    }
}

#[component]
fn Initial(name: String) -> impl IntoView {
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    view! {
        <span
            class="grid size-6 shrink-0 place-items-center rounded-md bg-accent-soft text-xs font-semibold text-accent-ink \
            before:content-[attr(data-initial)]"
            data-initial=initial
            aria-hidden="true"
        ></span>
    }
}

#[component]
fn Account(me: Me) -> impl IntoView {
    let session = Session::expect();
    let theme: Theme = expect_context();
    let drafts = Drafts::expect();
    let asking = RwSignal::new(false);
    let person = StoredValue::new(me.clone());
    let sign_out = move |()| {
        person.with_value(|me| drafts.forget_all(me));
        session.sign_out();
    };
    let leave = move |_| {
        if person.with_value(|me| drafts.of(me).is_empty()) {
            sign_out(());
        } else {
            asking.set(true);
        }
    };
    let email = me.email.clone();
    let name = if me.display_name.is_empty() {
        me.email
    } else {
        me.display_name
    };
    let button = move || {
        view! {
            <Icon sign=Sign::Person/>
            <span class="hidden min-w-0 flex-1 truncate text-left sm:block">{name.clone()}</span>
        }
    };
    let choices = Choice::ALL.map(|choice| {
        let checked = Signal::derive(move || theme.choice() == choice);
        view! {
            <MenuItem checked on:click=move |_| theme.choose(choice)>
                <span class="flex-1">{format!("{} theme", choice.title())}</span>
                <Show when=move || checked.get()>
                    <Icon sign=Sign::Check/>
                </Show>
            </MenuItem>
        }
    });
    view! {
        <Menu label="Account" name="account-menu" wide=true button=ViewFn::from(button)>
            <p class="truncate px-3 py-1.5 text-xs text-muted">{email}</p>
            {choices}
            <hr class="my-1 border-line"/>
            <MenuItem on:click=leave>"Sign out"</MenuItem>
        </Menu>
        <Confirm
            open=asking
            title="Discard your changes?"
            name="sign-out"
            act="Discard and sign out"
            busy=false
            on_confirm=sign_out
        >
            <p>
                {move || {
                    let networks = person.with_value(|me| drafts.of(me));
                    format!(
                        "You have changed the policy of {} and not saved it. Who signs out leaves nothing behind in the browser.",
                        networks.join(" and "),
                    )
                }}
            </p>
        </Confirm>
    }
}

/// Says when changes do not arrive by themselves.
#[component]
fn Connection() -> impl IntoView {
    let live: Live = expect_context();
    view! {
        <div role="status">
            <Show when=move || !live.is_on()>
                <p class="bg-caution-soft px-4 py-2 text-center text-sm text-caution">
                    "The live connection to the server is interrupted; what you see may be old. Trying again…"
                </p>
            </Show>
        </div>
    }
}
