//! A real PostgreSQL for tests, where one is installed.
//!
//! Tests that run at the same time share a cluster; each has a database of its own.

use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

/// A database that nobody else uses.
pub(crate) struct Database {
    cluster: Arc<Cluster>,
    name: String,
}

/// A private cluster on a unix socket; ended when dropped.
struct Cluster {
    bin: PathBuf,
    dir: TempDir,
    child: Mutex<Option<Child>>,
    databases: AtomicU32,
}

static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

const BIN: &str = "/usr/lib/postgresql";

/// `None`, loudly, where PostgreSQL is not installed.
pub(crate) fn database() -> Option<Database> {
    let bin = programs()?;
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = running.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Cluster::start(bin));
        *running = Arc::downgrade(&started);
        started
    });
    drop(running);
    Some(Database::on(cluster))
}

/// As [`database`], in a cluster of its own, which may be stopped.
pub(crate) fn database_alone() -> Option<Database> {
    Some(Database::on(Arc::new(Cluster::start(programs()?))))
}

#[expect(clippy::print_stderr, reason = "what is passed over says so")]
fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir(BIN).ok().and_then(|dirs| {
        dirs.flatten()
            .map(|d| d.path().join("bin"))
            .find(|b| b.join("initdb").exists())
    });
    if installed.is_none() {
        eprintln!("PASSED OVER: PostgreSQL is not installed ({BIN})");
    }
    installed
}

impl Database {
    fn on(cluster: Arc<Cluster>) -> Self {
        let number = cluster.databases.fetch_add(1, Ordering::Relaxed);
        if number > 0 {
            cluster.await_role();
        }
        let name = format!("test_{number}");
        assert!(cluster.sql(&format!("CREATE DATABASE {name}")), "{name}");
        Self { cluster, name }
    }

    /// Ends the cluster without a farewell to its clients.
    pub(crate) fn stop(&self) {
        self.cluster.end("-QUIT");
    }

    /// Starts the cluster again on the same data.
    pub(crate) fn start_again(&self) {
        self.cluster.serve();
    }

    /// The superuser's URL: as the stock container's user is one.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/{}?host={}",
            self.name,
            self.cluster.dir.path().display()
        )
    }
}

impl Cluster {
    fn start(bin: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let cluster = Self {
            bin,
            dir,
            child: Mutex::default(),
            databases: AtomicU32::new(0),
        };
        let made = cluster
            .command(
                "initdb",
                &["-U", "postgres", "-A", "trust", "--no-sync", "-D"],
            )
            .arg(cluster.data())
            .status()
            .unwrap();
        assert!(made.success(), "initdb");
        cluster.serve();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts it, and waits until it answers.
    fn serve(&self) {
        let child = self
            .command(
                "postgres",
                &["-c", "listen_addresses=", "-c", "fsync=off", "-D"],
            )
            .arg(self.data())
            .arg("-k")
            .arg(self.dir.path())
            .spawn()
            .unwrap();
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let socket = self.dir.path().join(".s.PGSQL.5432");
        for _ in 0..400 {
            if socket.exists() && self.sql("SELECT 1") {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start");
    }

    fn end(&self, signal: &str) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = child.take() {
            let pid = child.id().to_string();
            let _ = Command::new("kill").args([signal, &pid]).status();
            let _ = child.wait();
        }
    }

    /// Databases of a cluster share the serving role: the first one's schema
    /// makes it, the others' must not try at the same time.
    fn await_role(&self) {
        let made = "SELECT 1 / count(*) FROM pg_roles WHERE rolname = 'warren_app'";
        for _ in 0..400 {
            if self.sql(made) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn sql(&self, sql: &str) -> bool {
        self.command("psql", &["-U", "postgres", "-c", sql, "-h"])
            .arg(self.dir.path())
            .status()
            .unwrap()
            .success()
    }

    /// One of PostgreSQL's programs, which refuse to run as root.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let path = self.bin.join(program);
        let mut command = if crate::lifecycle::is_root() {
            let mut as_postgres = Command::new("setpriv");
            let who = [
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ];
            as_postgres.args(who).arg::<&OsStr>(path.as_ref());
            as_postgres
        } else {
            Command::new(&path)
        };
        let quiet = || Stdio::null();
        command
            .args(args)
            .current_dir::<&Path>(self.dir.path())
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("-INT");
    }
}
