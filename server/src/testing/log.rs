//! What the server logs while a test runs on this thread.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _};

use crate::telemetry::{self, LogFormat};

/// Captures the thread's log lines until dropped.
pub(crate) struct Guard {
    lines: Lines,
    _subscriber: DefaultGuard,
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Guard {
    /// What `filter` lets through.
    pub(crate) fn install(filter: &str) -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = telemetry::layer(LogFormat::Text, move || writer.clone());
        let subscriber =
            tracing_subscriber::registry().with(layer.with_filter(EnvFilter::new(filter)));
        Self {
            lines,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged so far.
    pub(crate) fn text(&self) -> String {
        let bytes = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
