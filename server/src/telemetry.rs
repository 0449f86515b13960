//! Logs and metrics.

pub mod metrics;

use std::io;

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, fmt::MakeWriter, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use self::metrics::Metrics;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged when nobody says otherwise: our own news, others' worries.
/// A name stands for all targets that begin with it: `sea` for the database library.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,sea=warn,tower_sessions=error,\
                                  tower_sessions_core=error,hyper=warn,h2=warn,rustls=warn";

/// Logs to standard error from now on; a second call changes nothing.
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let _ = tracing_subscriber::registry()
        .with(layer(format, io::stderr).with_filter(filter))
        .try_init();
    Ok(())
}

/// The layer that writes lines of `format`.
pub fn layer<W>(format: LogFormat, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(false).boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    }
}
