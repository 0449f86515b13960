//! A real PostgreSQL for tests, where one is installed.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// A private PostgreSQL cluster on a unix socket; ended when dropped.
pub(crate) struct Cluster {
    dir: TempDir,
    child: Child,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

const BIN: &str = "/usr/lib/postgresql";

/// `None`, loudly, where PostgreSQL is not installed.
#[expect(clippy::print_stderr, reason = "what is passed over says so")]
pub(crate) fn cluster() -> Option<Cluster> {
    let Some(bin) = std::fs::read_dir(BIN).ok().and_then(|dirs| {
        dirs.flatten()
            .map(|d| d.path().join("bin"))
            .find(|b| b.join("initdb").exists())
    }) else {
        eprintln!("PASSED OVER: PostgreSQL is not installed ({BIN})");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let home = dir.path().to_owned();
    let data = home.join("data");
    let run = |program: &str, args: &[&str]| {
        let mut command = if crate::lifecycle::is_root() {
            let mut c = Command::new("setpriv");
            c.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ])
            .arg(bin.join(program));
            c
        } else {
            Command::new(bin.join(program))
        };
        command
            .args(args)
            .current_dir(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    let made = run(
        "initdb",
        &[
            "-D",
            &text(&data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ],
    )
    .stderr(Stdio::null())
    .status()
    .unwrap();
    assert!(made.success(), "initdb");
    let child = run(
        "postgres",
        &[
            "-D",
            &text(&data),
            "-k",
            &text(&home),
            "-c",
            "listen_addresses=",
        ],
    )
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let path = text(&home);
    let socket = home.join(".s.PGSQL.5432");
    let asked = || run("psql", &["-h", &path, "-U", "postgres", "-c", "SELECT 1"]);
    let cluster = Cluster { dir, child };
    for _ in 0..200 {
        if socket.exists() && asked().stderr(Stdio::null()).status().unwrap().success() {
            return Some(cluster);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("PostgreSQL did not start");
}

impl Cluster {
    /// The superuser's URL: as the stock container's user is one.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.dir.path().display()
        )
    }
}
