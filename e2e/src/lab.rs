//! A network on one machine: namespaces, veth pairs and nft.
//!
//! One public segment (203.0.113.0/24, a bridge) with the server, and hosts
//! behind routers of one kind each. Everything lives in a private network and
//! mount namespace of the test program, so nothing is left when it ends.

use std::{
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::process::run;

mod nat;
mod topology;

pub use nat::Nat;
pub use topology::{Host, Topology};

const STEP: Duration = Duration::from_secs(10);

/// What `unshare` is asked for: namespaces of our own that end with the program.
fn flags() -> Vec<&'static str> {
    let mut flags = vec![
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    if !is_root() {
        flags.extend(["--user", "--map-root-user"]);
    }
    flags
}

/// Whether a lab is possible here; `Err` says why not.
pub fn check() -> Result<()> {
    let possible = Command::new("unshare")
        .args(flags())
        .args(["sh", "-c", ": <>/dev/net/tun && nft list tables"])
        .stdout(Stdio::null())
        .output()
        .context("`unshare` (util-linux) is needed")?;
    if !possible.status.success() {
        bail!(
            "network namespaces, /dev/net/tun (readable and writable) or nft cannot be used here: {}",
            String::from_utf8_lossy(&possible.stderr).trim()
        );
    }
    Ok(())
}

/// Puts this program into a private network and mount namespace, by running
/// it again inside `unshare`; returns in the inner program only. Without root
/// a user namespace serves.
pub fn enter() -> Result<()> {
    if is_inside() {
        return prepare();
    }
    let mut again = Command::new("unshare");
    again
        .args(flags())
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1));
    Err(again.env(INSIDE, "1").exec()).context("running again inside `unshare`")
}

/// The mark of the inner program.
const INSIDE: &str = "WARREN_IN_LAB";

/// Whether this program was started by [`enter`].
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// The folder of this scenario: logs, state, captures. Kept when the scenario fails.
pub fn scratch() -> Result<PathBuf> {
    let dir = std::env::var_os(SCRATCH).context("the scenario was not started by its runner")?;
    Ok(dir.into())
}

/// Where [`scratch`] is told.
pub(crate) const SCRATCH: &str = "LAB_SCRATCH";

/// Inside: a `/run` of our own for the namespaces' names, a copy of `/etc` that clients may
/// write their DNS settings to, and loopback up.
fn prepare() -> Result<()> {
    sh("mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/etc
        cp -a /etc/. /run/etc/ 2>/dev/null || true
        mount --bind /run/etc /etc
        ip link set lo up")
}

/// Runs a line of shell in the lab's outermost namespace.
pub(crate) fn sh(line: &str) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-ec", line]);
    run(command, STEP).map(|_| ())
}

/// Runs a line of shell in namespace `ns`.
pub(crate) fn sh_in(ns: &str, line: &str) -> Result<()> {
    let mut command = command_in(ns, "sh");
    command.args(["-ec", line]);
    run(command, STEP).map(|_| ())
}

/// A command that runs in namespace `ns`; it is the process itself that runs, not a parent of it.
pub fn command_in(ns: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net=/run/netns/{ns}"))
        .arg("--")
        .arg(program);
    command
}
