//! Signing in by a one-time link: the secret comes in the address's fragment,
//! is looked at first, and is used when the person says so.

use leptos::{prelude::*, task::spawn_local};
use wire::api::session::{LinkInfo, RedeemLink};

pub(crate) mod how;
mod join;

use how::HowToSignIn;
use join::{Invited, Known, SetUp};

use super::{blank::Blank, loaded::Problem};
use crate::{
    api::{self, Failure},
    components::skeleton::Skeleton,
    location::{Location, Step},
    session::Session,
    submit::Submit,
    theme::storage,
};

/// Where to go after signing in, for a page that had to send the person here.
const NEXT: &str = "warren.next";

/// Remembers a page to come back to after signing in.
pub(crate) fn come_back_to(path: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(NEXT, path);
    }
}

/// What is behind the link, as far as it is known.
#[derive(Clone, PartialEq)]
enum Behind {
    Asking,
    Link(LinkInfo),
    Failed(Failure),
}

/// The page.
#[component]
pub(crate) fn SignIn() -> impl IntoView {
    let location: Location = expect_context();
    let token = Memo::new(move |_| location.fragment());
    view! {
        <Blank>
            {move || {
                let token = token.get();
                if token.is_empty() {
                    view! { <HowToSignIn/> }.into_any()
                } else {
                    view! { <Link token/> }.into_any()
                }
            }}
        </Blank>
    }
}

#[component]
fn Link(token: String) -> impl IntoView {
    let behind = RwSignal::new(Behind::Asking);
    let asked = token.clone();
    spawn_local(async move {
        let answer = match api::session::inspect(asked).await {
            Ok(info) => Behind::Link(info),
            Err(failure) => Behind::Failed(failure),
        };
        let _ = behind.try_set(answer);
    });
    let use_link = UseLink::new(token);
    move || match behind.get() {
        Behind::Asking => view! { <Skeleton lines=3/> }.into_any(),
        Behind::Link(LinkInfo::Setup { .. }) => view! { <SetUp use_link/> }.into_any(),
        Behind::Link(LinkInfo::Login { email, .. }) => view! { <Known email use_link/> }.into_any(),
        Behind::Link(LinkInfo::Invite {
            email,
            tenant,
            role,
            ..
        }) => view! { <Invited email tenant role use_link/> }.into_any(),
        Behind::Failed(failure) => view! {
            <div class="grid gap-5">
                <Problem failure=Signal::stored(Some(failure))/>
                <HowToSignIn/>
            </div>
        }
        .into_any(),
    }
}

/// Redeems the link and leads on.
#[derive(Clone, Copy)]
pub(super) struct UseLink {
    token: StoredValue<String>,
    submit: Submit,
    location: Location,
    session: Session,
}

impl UseLink {
    fn new(token: String) -> Self {
        Self {
            token: StoredValue::new(token),
            submit: Submit::new(),
            location: expect_context(),
            session: Session::expect(),
        }
    }

    /// How it stands.
    pub(super) fn submit(self) -> Submit {
        self.submit
    }

    /// Uses the link; `fill` adds what the form asked for.
    pub(super) fn redeem(self, fill: impl FnOnce(&mut RedeemLink)) {
        let mut link = RedeemLink {
            token: self.token.get_value(),
            display_name: None,
            email: None,
            tenant_name: None,
        };
        fill(&mut link);
        self.submit.run(&[], api::session::redeem(link), move |me| {
            self.session.begin(me);
            self.location.go(&next(), Step::Replace);
        });
    }
}

fn next() -> String {
    let remembered = storage().and_then(|storage| {
        let path = storage.get_item(NEXT).ok()?;
        let _ = storage.remove_item(NEXT);
        path
    });
    remembered
        .filter(|path| path.starts_with(wire::paths::REGISTRATION_PAGE))
        .unwrap_or_else(|| "/".to_owned())
}
