//! The command that "Add device" shows works on a machine that has nothing.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::Agent,
    api::Session,
    eventually::eventually,
    lab::{self, Host, Nat, Topology},
    process::{Process, run},
    stack::Stack,
};

const STEP: Duration = Duration::from_mins(1);

pub(crate) fn a_machine_that_has_nothing_joins_by_the_shown_command() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let peer = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;

    let server = Session::sign_in(&stack, &tenant.owner)?.get("/api/v1/server")?;
    let word = |name: &str| {
        let word = server[name].as_str().map(str::to_owned);
        word.with_context(|| format!("the server names no {name}: {server}"))
    };
    let shown = format!(
        "{} up --server {} --server-ca-sha256 {} --auth-key {key} --hostname bare",
        word("install_command")?,
        word("url")?,
        word("ca_sha256")?
    );
    let host = net.host("bare", Nat::Easy)?;
    let root = lab::scratch()?.join("root");
    empty_root(&root)?;
    // The command itself is all that is typed; what it leaves running is the agent.
    let mut typed = in_root(&host, &root, &["sh", "-c", &shown]);
    typed.env_clear().env("PATH", "/bin:/sbin:/usr/local/bin");
    let log = lab::scratch()?.join("install.log");
    let _typed = Process::start("the shown command", typed, &log)?;
    eventually("the machine is online", STEP, || {
        let node = tenant.node("bare")?;
        Ok((node["online"] == true).then_some(()))
    })
    .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;

    let warren = in_root(&host, &root, &["warren", "ip"]);
    let said = run(warren, Duration::from_secs(10))?;
    let address = said.lines().next().context("an address")?;
    peer.ping(address, Duration::from_secs(5))?;
    ensure!(
        root.join("usr/local/bin/warren").is_file(),
        "it lies elsewhere"
    );
    Ok(())
}

/// A root with a shell, its small tools and `curl`, and nothing of ours.
fn empty_root(root: &Path) -> Result<()> {
    let mut make = Command::new("sh");
    make.arg("-ec").arg(MAKE_ROOT).arg("sh").arg(root);
    run(make, Duration::from_secs(20)).map(|_| ())
}

/// `curl` comes with the libraries it is linked to; devices and `/proc` are those of the lab.
const MAKE_ROOT: &str = r#"
mkdir -p "$1"; cd "$1"
mkdir -p bin sbin usr/local tmp dev/net proc run var/lib var/log etc
chmod 1777 tmp
cp "$(command -v busybox)" bin/busybox
bin/busybox --install -s bin
for link in bin/*; do [ ! -L "$link" ] || ln -sf /bin/busybox "$link"; done
rm -f bin/wget
curl=$(command -v curl)
cp "$curl" bin/curl
ldd "$curl" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p ".${library%/*}"
  cp -L "$library" ".$library"
done
for device in null zero random urandom net/tun; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t proc proc proc
"#;

/// A command on `host`, in `root`.
fn in_root(host: &Host, root: &Path, args: &[&str]) -> Command {
    let mut command = host.command("chroot");
    command.arg(root).args(args);
    command
        .env_clear()
        .env("PATH", "/bin:/sbin:/usr/local/bin:/usr/sbin:/usr/bin");
    command
}
