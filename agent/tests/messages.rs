//! What the real program says when something is missing: to a person who has never seen it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests state facts and may stop; one that cannot run says so"
)]

use std::{
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const WARREN: &str = env!("CARGO_BIN_EXE_warren");
/// Steps of 20 ms until a daemon must be there.
const STEPS: usize = 500;
/// A server that is not there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A daemon with a folder of its own, started by other programs.
struct Daemon {
    dir: tempfile::TempDir,
    child: Child,
}

impl Daemon {
    /// Starts it by `wrapper`: words that precede the program's path.
    fn start(wrapper: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // For a user who may not look into the folder of the build.
        let program = dir.path().join("warren");
        std::fs::copy(WARREN, &program).unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let (state, socket) = (dir.path().join("state"), dir.path().join("sock"));
        let line = format!(
            "exec {} daemon --state-dir {} --socket {} --port 0",
            program.display(),
            state.display(),
            socket.display()
        );
        let (first, rest) = wrapper.split_first().unwrap();
        let mut child = Command::new(first)
            .args(rest)
            .args(["sh", "-c", &line])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..STEPS {
            if UnixStream::connect(&socket).is_ok() {
                return Self { dir, child };
            }
            assert_eq!(child.try_wait().unwrap(), None, "the daemon has ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the daemon does not listen");
    }

    /// One that may not make interfaces.
    fn without_rights() -> Self {
        const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups --";
        let nobody: Vec<_> = NOBODY.split(' ').collect();
        Self::start(if is_root() { &nobody } else { &["env"] })
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("sock")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command that fails says.
fn complaint(socket: &Path, args: &[&str]) -> String {
    let output = Command::new(WARREN)
        .args(args)
        .arg("--socket")
        .arg(socket)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "`{args:?}` succeeds: {said}");
    said
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// Whether this process may make namespaces; a loud line when not.
fn may_unshare() -> bool {
    let may = is_root()
        && Command::new("unshare")
            .args(["--net", "--mount", "true"])
            .status()
            .is_ok_and(|s| s.success());
    if !may {
        eprintln!("PASSED OVER: run `sudo -E cargo test -p agent --test messages`");
    }
    may
}

#[test]
fn without_a_daemon_every_command_says_how_to_start_it() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["status"][..], &["up"], &["logout"]] {
        let said = complaint(&dir.path().join("sock"), args);
        assert!(said.contains("systemctl start warren"), "{said}");
    }
}

#[test]
fn a_daemon_without_rights_says_that_it_must_run_as_root() {
    let daemon = Daemon::without_rights();
    let said = complaint(&daemon.socket(), &["up", "--server", NOWHERE]);
    assert!(said.contains("`warren daemon` as root"), "{said}");
}

#[test]
fn a_machine_without_a_tun_says_which_module_is_missing() {
    if !may_unshare() {
        return;
    }
    let hidden = [
        "unshare",
        "--net",
        "--mount",
        "sh",
        "-ec",
        "mount -t tmpfs none /dev/net; exec \"$@\"",
        "sh",
    ];
    let daemon = Daemon::start(&hidden);
    let said = complaint(&daemon.socket(), &["up", "--server", NOWHERE]);
    assert!(said.contains("no TUN"), "{said}");
    assert!(said.contains("kernel module `tun`"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_named_and_tried_again() {
    if !may_unshare() {
        return;
    }
    let daemon = Daemon::start(&["unshare", "--net"]);
    let socket = daemon.socket();
    let said = complaint(&socket, &["up", "--server", NOWHERE, "--timeout", "2"]);
    assert!(said.contains(NOWHERE), "{said}");
    assert!(said.contains("is not reachable"), "{said}");
    assert!(said.contains("keeps trying"), "{said}");
}

#[test]
fn nonsense_is_refused_before_anything_is_tried() {
    let daemon = Daemon::without_rights();
    let socket = daemon.socket();
    for (args, word) in [
        (&["up"][..], "which server"),
        (&["up", "--server", "ftp://192.0.2.1"], "https://"),
        (&["up", "--server", "http://192.0.2.1"], "use https"),
        (&["ping", "atlas"], "warren up"),
        (&["ip"], "warren up"),
        (&["netcheck"], "warren up"),
    ] {
        let said = complaint(&socket, args);
        assert!(said.contains(word), "{args:?}: {said}");
    }
}
