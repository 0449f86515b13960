//! The live stream of a tenant: tells which topics have changed.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{EventSource, MessageEvent};
use wire::{TenantId, api::event::Event, paths::EventsPath};

use crate::{
    query::{Cache, Topic},
    session::Session,
};

/// Whether changes arrive by themselves at the moment. A context of tenant pages.
#[derive(Clone, Copy)]
pub(crate) struct Live(RwSignal<bool>);

impl Live {
    /// Tracked.
    pub(crate) fn is_on(self) -> bool {
        self.0.get()
    }
}

/// How long to wait before a stream that the server refused is asked for again.
const RETRY_MS: u32 = 3_000;

/// Follows the tenant's stream until the owner is cleaned up.
pub(crate) fn follow(tenant: TenantId) -> Live {
    let live = Live(RwSignal::new(true));
    let stream = StoredValue::new_local(None::<Stream>);
    let told = Told {
        cache: expect_context(),
        session: Session::expect(),
    };
    open(live, stream, tenant, told);
    on_cleanup(move || stream.update_value(|stream| drop(stream.take())));
    live
}

struct Stream {
    source: EventSource,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _error: Closure<dyn FnMut()>,
    retry: Option<Timeout>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onmessage(None);
        self.source.set_onerror(None);
        self.source.close();
        drop(self.retry.take());
    }
}

type Slot = StoredValue<Option<Stream>, LocalStorage>;

/// What events act on.
#[derive(Clone, Copy)]
struct Told {
    cache: Cache,
    session: Session,
}

impl Told {
    fn hear(self, event: Event) {
        for topic in Topic::of(event) {
            self.cache.stale(*topic);
        }
        if event == Event::Users {
            self.session.refresh();
        }
    }
}

fn open(live: Live, slot: Slot, tenant: TenantId, told: Told) {
    let Ok(source) = EventSource::new(&EventsPath { tenant }.to_path()) else {
        return;
    };
    let message = Closure::new(move |message: MessageEvent| {
        let text = message.data().as_string().unwrap_or_default();
        // A kind of event that a newer server knows is not ours to act on.
        if let Ok(event) = serde_json::from_str::<Event>(&text) {
            let _ = live.0.try_set(true);
            told.hear(event);
        }
    });
    let lost = source.clone();
    let error = Closure::new(move || {
        let _ = live.0.try_set(false);
        // The browser connects again by itself unless the server refused the stream.
        if lost.ready_state() == EventSource::CLOSED {
            slot.try_update_value(|stream| {
                if let Some(stream) = stream {
                    stream.retry = Some(Timeout::new(RETRY_MS, move || {
                        if slot.try_with_value(Option::is_some) == Some(true) {
                            open(live, slot, tenant, told);
                        }
                    }));
                }
            });
        }
    });
    source.set_onmessage(Some(message.as_ref().unchecked_ref()));
    source.set_onerror(Some(error.as_ref().unchecked_ref()));
    slot.set_value(Some(Stream {
        source,
        _message: message,
        _error: error,
        retry: None,
    }));
}
