//! Live events: what a page should load again.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::response::{
    IntoResponse, Response, Sse,
    sse::{self, KeepAlive},
};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until},
};
use wire::{
    TenantId,
    api::{event::Event, problem::Code},
    id::AccountId,
};

use super::{Ctx, ctx};
use crate::{
    authz::may,
    error::{Error, Result},
    http::{csrf::is_own_page, problem::Refusal},
    login::session,
};

/// Events that come together are told together.
const GATHER: Duration = Duration::from_millis(100);
/// How often a stream looks whether it is still allowed.
const LOOK: Duration = Duration::from_secs(20);
/// Streams of one person at a time.
const MOST: usize = 32;

/// Every kind, for a stream that has missed some.
const ALL: [Event; 5] = [
    Event::Nodes,
    Event::Policy,
    Event::AuthKeys,
    Event::Users,
    Event::Tenant,
];

pub(super) async fn stream(headers: HeaderMap, ctx: Ctx<may::Enter>) -> Response {
    if !is_own_page(&headers) {
        return Refusal::new(
            Code::CrossSite,
            "Live events are for this server's own console only.",
        )
        .into_response();
    }
    let place = match ctx.api().streams.enter(ctx.signed.who.account) {
        Ok(place) => place,
        Err(full) => return full.into_response(),
    };
    ctx.app().metrics.event_streams.inc();
    let follower = Follower {
        changes: ctx.app().hub.subscribe(),
        look_at: Instant::now() + LOOK,
        _place: place,
        ctx,
    };
    let hello = stream::once(async { vec![Event::Hello] });
    let events = hello
        .chain(follower.follow())
        .flat_map(stream::iter)
        .map(|event| sse::Event::default().json_data(event))
        .filter_map(async |event| event.ok().map(Ok::<_, Infallible>));
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(LOOK))
        .into_response()
}

struct Follower {
    ctx: Ctx<may::Enter>,
    changes: Receiver<(TenantId, Event)>,
    look_at: Instant,
    _place: Place,
}

enum Woken {
    Changed(Result<(TenantId, Event), RecvError>),
    Look,
    Stop,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.ctx.app().metrics.event_streams.dec();
    }
}

impl Follower {
    fn follow(self) -> impl Stream<Item = Vec<Event>> {
        stream::unfold(self, |mut follower| async {
            let batch = follower.next().await?;
            Some((batch, follower))
        })
    }

    /// What changed since the last time; `None`: the stream ends.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let mut batch = Vec::new();
        let mut until = None;
        loop {
            match self.wake(until.unwrap_or(self.look_at)).await {
                Woken::Look if until.is_some() => {
                    let judged = !batch.contains(&Event::Users) || self.is_allowed().await;
                    return judged.then_some(batch);
                }
                Woken::Look => {
                    self.look_at = Instant::now() + LOOK;
                    if !self.is_allowed().await {
                        return None;
                    }
                }
                Woken::Changed(Ok((tenant, event))) => {
                    if tenant == self.ctx.tenant && !batch.contains(&event) {
                        batch.push(event);
                        until.get_or_insert_with(|| Instant::now() + GATHER);
                    }
                }
                Woken::Changed(Err(RecvError::Lagged(_))) => {
                    batch = ALL.to_vec();
                    until.get_or_insert_with(|| Instant::now() + GATHER);
                }
                Woken::Stop | Woken::Changed(Err(RecvError::Closed)) => return None,
            }
        }
    }

    async fn wake(&mut self, at: Instant) -> Woken {
        let stop = self.ctx.app().stop.clone();
        tokio::select! {
            () = stop.cancelled() => Woken::Stop,
            () = sleep_until(at) => Woken::Look,
            changed = self.changes.recv() => Woken::Changed(changed),
        }
    }

    /// Whether he is still signed in, and still a member. A database that is
    /// away is no reason to end a stream.
    async fn is_allowed(&self) -> bool {
        let app = self.ctx.app();
        let signed = &self.ctx.signed;
        let alive = session::is_alive(app, &signed.session).await;
        let member = ctx::member(app, &signed.who, self.ctx.tenant).await;
        !matches!(alive, Ok(false)) && !matches!(member, Err(Error::NotFound))
    }
}

/// How many streams each person holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Mutex<BTreeMap<AccountId, usize>>>);

impl Streams {
    fn enter(&self, account: AccountId) -> Result<Place> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(account).or_default();
        if *count >= MOST {
            return Err(Error::TooMany(Duration::from_secs(5)));
        }
        *count += 1;
        Ok(Place {
            streams: self.clone(),
            account,
        })
    }
}

/// One stream's place.
#[derive(Debug)]
struct Place {
    streams: Streams,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.account);
            }
        }
    }
}
