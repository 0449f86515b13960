//! A configuration held against reality, without changing anything.

mod certificate;
mod files;
mod network;
mod reach;

use std::sync::Arc;

use serde::Serialize;
use tokio::net::UnixStream;

use crate::{clock::Clock, config::Config};

/// How good or bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth a thought; the server serves.
    Warn,
    /// The server would not start, or not serve everybody.
    Bad,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Good => "ok",
            Self::Warn => "WARN",
            Self::Bad => "BAD",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: mostly a key of the configuration.
    pub about: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, and what to do.
    pub says: String,
}

impl Finding {
    fn good(about: &'static str, says: impl Into<String>) -> Self {
        Self::new(about, Verdict::Good, says)
    }

    fn warn(about: &'static str, says: impl Into<String>) -> Self {
        Self::new(about, Verdict::Warn, says)
    }

    fn bad(about: &'static str, says: impl Into<String>) -> Self {
        Self::new(about, Verdict::Bad, says)
    }

    fn new(about: &'static str, verdict: Verdict, says: impl Into<String>) -> Self {
        Self {
            about,
            verdict,
            says: says.into(),
        }
    }
}

/// Looks at everything that `config` names.
pub async fn examine(config: &Config, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let runs = UnixStream::connect(config.admin_socket()).await.is_ok();
    let mut found = files::examine(config);
    found.push(files::database(config).await);
    found.extend(network::examine(config, runs).await);
    found.extend(certificate::examine(config, clock.now()));
    found.push(network::clock(clock.now()));
    found.push(if runs {
        reach::examine(config).await
    } else {
        Finding::warn(
            "http.public_url",
            format!(
                "{} is not tried, because no server runs with this data directory",
                config.public_url()
            ),
        )
    });
    found
}

#[cfg(test)]
mod tests;
