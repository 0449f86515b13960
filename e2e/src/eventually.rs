//! Waiting for something to become true, with a deadline and a reason.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks `probe` every 50 ms until it gives `Ok(Some(_))`; fails, naming `what`
/// and the last error, when `within` has passed.
pub fn eventually<T>(
    what: &str,
    within: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = now() + within;
    let mut last = None;
    loop {
        match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(e) => last = Some(e),
        }
        if now() > deadline {
            let last = last.map_or_else(String::new, |e| format!("; last error: {e:#}"));
            bail!("not within {within:?}: {what}{last}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The monotonic clock of the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "end-to-end tests run in real time"
)]
pub fn now() -> Instant {
    Instant::now()
}
