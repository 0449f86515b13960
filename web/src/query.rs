//! What the server knows, held while it is fresh. Each answer belongs to a topic;
//! a live event or a mutation makes a topic stale, and what is on screen is
//! loaded again without being taken away.

use std::{any::Any, collections::HashMap, sync::Arc};

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use wire::api::event::Event;

use crate::{
    api::{self, Failure},
    session::Session,
};

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Machines.
    Nodes,
    /// The policy and its revisions.
    Policy,
    /// Auth keys.
    AuthKeys,
    /// Members and invitations.
    Users,
    /// The tenant's settings.
    Tenant,
    /// The server; it does not change while it runs.
    Server,
}

impl Topic {
    const ALL: [Self; 6] = [
        Self::Nodes,
        Self::Policy,
        Self::AuthKeys,
        Self::Users,
        Self::Tenant,
        Self::Server,
    ];

    /// What a live event makes stale.
    pub(crate) fn of(event: Event) -> &'static [Self] {
        match event {
            // The stream is open (again): whatever happened meanwhile was not told.
            Event::Hello => &Self::ALL,
            Event::Nodes => &[Self::Nodes],
            Event::Policy => &[Self::Policy],
            Event::AuthKeys => &[Self::AuthKeys],
            Event::Users => &[Self::Users],
            Event::Tenant => &[Self::Tenant],
        }
    }
}

type Answers = HashMap<String, Arc<dyn Any + Send + Sync>>;

/// The cache. A context.
#[derive(Clone, Copy)]
pub(crate) struct Cache {
    versions: StoredValue<[RwSignal<u64>; Topic::ALL.len()]>,
    answers: StoredValue<Answers>,
}

impl Cache {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            versions: StoredValue::new(std::array::from_fn(|_| RwSignal::new(0))),
            answers: StoredValue::new(HashMap::new()),
        }
    }

    /// Loads everything about `topic` again that is on screen.
    pub(crate) fn stale(self, topic: Topic) {
        self.version(topic).update(|version| *version += 1);
    }

    /// Forgets everything: another person may be next.
    pub(crate) fn clear(self) {
        self.answers.update_value(HashMap::clear);
    }

    fn version(self, topic: Topic) -> RwSignal<u64> {
        let at = Topic::ALL.iter().position(|t| *t == topic);
        self.versions
            .with_value(|versions| versions[at.unwrap_or_default()])
    }

    fn find<T: Send + Sync + 'static>(self, url: &str) -> Option<Arc<T>> {
        let any = self
            .answers
            .with_value(|answers| answers.get(url).cloned())?;
        any.downcast().ok()
    }

    fn keep<T: Send + Sync + 'static>(self, url: String, answer: Arc<T>) {
        self.answers.update_value(|answers| {
            answers.insert(url, answer);
        });
    }
}

/// One resource as a page sees it.
pub(crate) struct Query<T: 'static> {
    /// The newest answer; `None` until the first.
    pub(crate) data: RwSignal<Option<Arc<T>>>,
    /// Why the last try failed, if it did.
    pub(crate) failure: RwSignal<Option<Failure>>,
    again: Trigger,
}

impl<T> Clone for Query<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Query<T> {}

impl<T> Query<T> {
    /// Tries again.
    pub(crate) fn retry(self) {
        self.failure.set(None);
        self.again.notify();
    }
}

/// The pause between two loads of the same resource while its topic keeps changing.
const PAUSE_MS: u32 = 150;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flight {
    Idle,
    Busy,
    /// Busy, and stale already.
    Stale,
}

/// Loads what is at `url` now, and again whenever it or the topic changes.
/// `None`: nothing is wanted yet.
pub(crate) fn query<T>(
    topic: Topic,
    url: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Query<T>
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    let cache: Cache = expect_context();
    let query = Query {
        data: RwSignal::new(None),
        failure: RwSignal::new(None),
        again: Trigger::new(),
    };
    let take = move |url: &str, text: &str| {
        let answer = Arc::new(api::parse::<T>(text)?);
        cache.keep(url.to_owned(), Arc::clone(&answer));
        query.data.set(Some(answer));
        Ok(())
    };
    let line = Line {
        wanted: Memo::new(move |_| url()),
        flight: StoredValue::new(Flight::Idle),
        failure: query.failure,
        session: Session::expect(),
        take: Arc::new(take),
    };
    Effect::new(move |before: Option<Option<String>>| {
        cache.version(topic).track();
        query.again.track();
        let now = line.wanted.get();
        if before.is_none_or(|before| before != now) {
            let known = now.as_deref().and_then(|url| cache.find(url));
            query.data.set(known);
        }
        if now.is_some() {
            line.start();
        }
        now
    });
    query
}

/// Reads and keeps the answer of an address.
type Take = dyn Fn(&str, &str) -> api::Result<()> + Send + Sync;

/// What loads one resource; it knows nothing of its type and is compiled once.
#[derive(Clone)]
struct Line {
    wanted: Memo<Option<String>>,
    flight: StoredValue<Flight>,
    failure: RwSignal<Option<Failure>>,
    session: Session,
    take: Arc<Take>,
}

impl Line {
    /// Loads, or lets the load that is under way know that it is too old.
    fn start(&self) {
        if self.flight.get_value() == Flight::Idle {
            self.flight.set_value(Flight::Busy);
            spawn_local(self.clone().load());
        } else {
            self.flight.set_value(Flight::Stale);
        }
    }

    /// Loads until the answer is not stale when it arrives, or the page is gone.
    async fn load(self) {
        while let Some(Some(url)) = self.wanted.try_get_untracked() {
            let text = api::get_text(&url).await;
            let Some(now) = self.wanted.try_get_untracked() else {
                break;
            };
            if now.as_ref() == Some(&url) {
                match text.and_then(|text| (self.take)(&url, &text)) {
                    Ok(()) => self.failure.set(None),
                    Err(failure) if failure.is_unauthenticated() => {
                        self.session.ended();
                        break;
                    }
                    Err(failure) => self.failure.set(Some(failure)),
                }
            }
            if self.flight.try_get_value() != Some(Flight::Stale) {
                break;
            }
            let _ = self.flight.try_set_value(Flight::Busy);
            TimeoutFuture::new(PAUSE_MS).await;
        }
        let _ = self.flight.try_set_value(Flight::Idle);
    }
}
