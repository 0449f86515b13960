//! `warren-server serve`.

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;

use super::say;
use crate::{
    clock::SystemClock,
    config::Config,
    lifecycle::{self, Ready, owner},
};

pub(super) async fn run(config: Config, again: &str) -> Result<ExitCode> {
    lifecycle::run(config, Arc::new(SystemClock), |ready| {
        say(&message(ready, again));
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// What a person at the shell must know; `again` is how this program is called for this server.
fn message(ready: &Ready, again: &str) -> String {
    let app = &ready.app;
    let url = app.config.public_url();
    let mut lines = vec![String::new(), format!("Warren serves at {url}")];
    if let Some(digest) = &app.certificates.facts().ca_sha256 {
        lines.extend([
            String::new(),
            "  Its certificate is from its own CA, made at the first start. Browsers warn until"
                .into(),
            format!("  you install {url}/ca.pem; machines are given its SHA-256:"),
            format!("  {digest}"),
        ]);
    }
    if let Some(link) = &ready.setup {
        lines.extend([
            String::new(),
            "  Open this link to become the owner and name the first tenant:".into(),
            String::new(),
            format!("    {}", link.url),
            String::new(),
            format!(
                "  It works once, for 15 minutes, and lies in {} (yours alone to read).",
                owner::file(app).display()
            ),
            format!("  A new one: {again} setup-link"),
        ]);
    }
    if app.install.is_none() {
        lines.extend([
            String::new(),
            "  There is no agent to give to machines: set install.agent to the static `warren`."
                .into(),
        ]);
    }
    if ready.setup.is_none() {
        lines.extend([
            String::new(),
            format!("  Sign in when nothing else works: {again} login-link --email YOU"),
        ]);
    }
    lines.push(String::new());
    lines.join("\n")
}
