//! Who is signed in. A context; the server's cookie is the truth.

use leptos::{prelude::*, task::spawn_local};
use wire::api::me::Me;

use crate::{
    api::{self, Failure},
    query::Cache,
    route::Page,
};

/// Whether somebody is signed in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    /// The server was asked and has not answered.
    Asking,
    /// Nobody; `ended` when somebody was until now.
    Nobody {
        /// The session was there and has ended.
        ended: bool,
    },
    /// This person.
    Person(Me),
    /// The server cannot be asked.
    Failed(Failure),
}

/// The session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    state: RwSignal<State>,
    cache: Cache,
}

impl Session {
    /// Asks the server, unless the person comes with a link: that one tells who he is.
    pub(crate) fn start(page: &Page) -> Self {
        let by_link = *page == Page::SignIn;
        let state = if by_link {
            State::Nobody { ended: false }
        } else {
            State::Asking
        };
        let session = Self {
            state: RwSignal::new(state),
            cache: expect_context(),
        };
        if !by_link {
            session.load();
        }
        session
    }

    /// The session of this page.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Asks the server again.
    pub(crate) fn load(self) {
        spawn_local(async move {
            let state = match api::session::me().await {
                Ok(me) => State::Person(me),
                Err(failure) if failure.is_unauthenticated() => State::Nobody { ended: false },
                Err(failure) => State::Failed(failure),
            };
            self.state.set(state);
        });
    }

    /// Asks the server whether the person or his roles have changed; while it cannot be
    /// asked, what is known stays.
    pub(crate) fn refresh(self) {
        spawn_local(async move {
            match api::session::me().await {
                Ok(me) => {
                    let now = State::Person(me);
                    if self.state.with_untracked(|state| *state != now) {
                        self.state.set(now);
                    }
                }
                Err(failure) if failure.is_unauthenticated() => self.ended(),
                Err(_) => {}
            }
        });
    }

    /// The state, tracked.
    pub(crate) fn state(self) -> State {
        self.state.get()
    }

    /// Somebody has just signed in.
    pub(crate) fn begin(self, me: Me) {
        self.cache.clear();
        self.state.set(State::Person(me));
    }

    /// The server does not know the session any more.
    pub(crate) fn ended(self) {
        let was = matches!(self.state.get_untracked(), State::Person(_));
        self.cache.clear();
        self.state.set(State::Nobody { ended: was });
    }

    /// Signs out.
    pub(crate) fn sign_out(self) {
        spawn_local(async move {
            // Gone is gone: a session that the server does not know is over as well.
            let _ = api::session::sign_out().await;
            self.cache.clear();
            self.state.set(State::Nobody { ended: false });
        });
    }
}
