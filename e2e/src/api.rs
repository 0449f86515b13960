//! The console's API, as the console's page would call it, by `curl`.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{lab, process::run, stack::Stack};

/// A person who is signed in.
#[derive(Debug)]
pub struct Session {
    url: String,
    ca: PathBuf,
    jar: PathBuf,
    /// Who he is: `wire::api::me::Me`.
    pub me: Value,
}

impl Session {
    /// Signs an existing user in, by a link from the server's shell.
    pub fn sign_in(stack: &Stack, email: &str) -> Result<Self> {
        let made = stack.admin(&["login-link", "--email", email])?;
        let link = made["url"].as_str().context("no url in the answer")?;
        let (_, token) = link.split_once('#').context("the link carries no token")?;
        let mut session = Self {
            url: stack.url(),
            ca: stack.ca_file()?,
            jar: lab::scratch()?.join(format!("cookies-{email}")),
            me: Value::Null,
        };
        session.me = session.call("POST", "/api/v1/session", &json!({ "token": token }))?;
        Ok(session)
    }

    /// The tenant of this short name, as a path element.
    pub fn tenant(&self, slug: &str) -> Result<String> {
        let memberships = self.me["memberships"].as_array().context("memberships")?;
        memberships
            .iter()
            .find(|m| m["slug"] == slug)
            .and_then(|m| m["tenant"].as_str())
            .map(str::to_owned)
            .with_context(|| format!("no member of {slug}: {}", self.me))
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, &Value::Null)
    }

    /// Any method; `Null` sends no body, and an empty answer is `Null`.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--max-time",
            "15",
            "-w",
            "\n%{http_code}",
            "-X",
            method,
        ])
        .arg("--cacert")
        .arg(&self.ca)
        .arg("-b")
        .arg(&self.jar)
        .arg("-c")
        .arg(&self.jar)
        .args([
            "-H",
            &format!("Origin: {}", self.url),
            "-H",
            "X-Warren-Console: 1",
        ]);
        if !body.is_null() {
            curl.args([
                "-H",
                "Content-Type: application/json",
                "-d",
                &body.to_string(),
            ]);
        }
        curl.arg(format!("{}{path}", self.url));
        let said = run(curl, Duration::from_secs(20))?;
        let (text, status) = said.rsplit_once('\n').context("curl said no status")?;
        ensure!(
            status.starts_with('2'),
            "{method} {path} answered {status}: {text}"
        );
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(text).with_context(|| format!("{method} {path} said no JSON: {text}"))
    }
}
