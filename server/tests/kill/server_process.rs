//! A server that is started and killed.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use server::{clock::SystemClock, config::load_from, db::Reason};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use crate::postgres::{Database, database, database_alone};

/// A data directory and a database.
pub(crate) struct Home {
    dir: TempDir,
    database: Option<Database>,
}

/// A server that runs.
pub(crate) struct Running {
    child: Child,
    socket: PathBuf,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self {
            dir,
            database: None,
        }
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) fn postgresql() -> Option<Self> {
        let database = Some(database()?);
        Some(Self {
            database,
            ..Self::sqlite()
        })
    }

    /// As [`Self::postgresql`], in a cluster that may be stopped.
    pub(crate) fn postgresql_alone() -> Option<Self> {
        let database = Some(database_alone()?);
        Some(Self {
            database,
            ..Self::sqlite()
        })
    }

    /// The database, when it is PostgreSQL.
    pub(crate) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// What the last server said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("admin.sock")
    }

    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        let file = self.dir.path().join("warren.db");
        self.database.is_none().then_some(file)
    }

    /// The database's URL.
    pub(crate) fn url(&self) -> String {
        let file = self.dir.path().join("warren.db");
        match &self.database {
            Some(database) => database.url(),
            None => format!("sqlite://{}?mode=rwc", file.display()),
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        [
            ("WARREN_DATA_DIR", self.dir.path().to_str().unwrap()),
            ("WARREN_DATABASE__URL", self.url().as_str()),
            ("WARREN_HTTP__LISTEN", "127.0.0.1:0"),
            ("WARREN_RELAY__ENABLED", "false"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    /// Starts a server, ready or not.
    pub(crate) fn spawn(&self) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_warren-server"))
            .arg("serve")
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Running {
            child,
            socket: self.socket(),
        }
    }

    /// Starts a server and waits until it acts.
    pub(crate) async fn start(&self) -> Running {
        let server = self.spawn();
        let list = json!({"tenant": "list"});
        for _ in 0..600 {
            if ask(&server.socket, &list).await.is_some() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server did not start; it said: {}", self.log());
    }

    /// The audit chain of the tenant, recomputed.
    pub(crate) async fn verify_audit(&self) {
        let config = load_from("", self.environment()).unwrap();
        let app = server::app::App::build(config, Arc::new(SystemClock))
            .await
            .unwrap();
        let tenants = app
            .db
            .system(Reason::Upkeep)
            .await
            .unwrap()
            .tenants()
            .await
            .unwrap();
        let rows = app.db.tenant(tenants[0].id).await.unwrap();
        rows.verify_audit().await.unwrap().unwrap();
    }
}

impl Running {
    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Has something done.
    pub(crate) async fn act(&self, request: Value) -> Value {
        let answer = ask(&self.socket, &request).await.unwrap();
        answer["Ok"].clone()
    }
}

/// Asks on the admin socket; `None` when nobody answered.
pub(crate) async fn ask(socket: &Path, request: &Value) -> Option<Value> {
    let mut stream = UnixStream::connect(socket).await.ok()?;
    stream
        .write_all(request.to_string().as_bytes())
        .await
        .ok()?;
    stream.shutdown().await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    serde_json::from_slice(&answer).ok()
}

/// Waits for a condition, a minute at most.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("after a minute it was still not so that {what}");
}
