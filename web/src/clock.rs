//! What time it is, for "3 minutes ago".

use std::time::Duration;

use leptos::prelude::*;
use wire::Timestamp;

/// How often words about time are said anew.
const TICK: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
struct Clock(RwSignal<Timestamp>);

/// Starts the clock.
pub(crate) fn provide() {
    let clock = Clock(RwSignal::new(read()));
    provide_context(clock);
    let ticking = set_interval_with_handle(move || clock.0.set(read()), TICK);
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
}

/// The time, tracked; it moves every few seconds.
pub(crate) fn now() -> Timestamp {
    expect_context::<Clock>().0.get()
}

/// The time as it is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds since 1970 fit in 64 bits for a long while"
)]
pub(crate) fn read() -> Timestamp {
    Timestamp::from_unix_micros((js_sys::Date::now() * 1000.0) as i64)
}
