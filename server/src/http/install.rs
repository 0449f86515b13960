//! How the agent comes onto the second machine: the static binary for this
//! server's platform, its digest, and a script that installs it.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};
use sha2::{Digest as _, Sha256};
use tokio_util::io::ReaderStream;

use crate::error::{Error, Result};

/// The file's name under `/dl/`.
pub const FILE: &str = if cfg!(target_arch = "aarch64") {
    "warren-linux-arm64"
} else {
    "warren-linux-amd64"
};

const SCRIPT: &str = include_str!("install.sh");
/// The agent's unit, that of the package.
const UNIT: &str = include_str!("../../../packaging/warren.service");

/// The agent this server gives away.
#[derive(Debug)]
pub struct Download {
    source: Source,
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Elsewhere { url: String, sha256: String },
}

#[derive(Debug, Clone)]
struct Known {
    stamp: (SystemTime, u64),
    sha256: String,
}

impl Download {
    /// The agent is this file.
    pub fn file(path: PathBuf) -> Self {
        Self {
            source: Source::File(path),
            known: Mutex::default(),
        }
    }

    /// The agent is served elsewhere.
    pub fn elsewhere(url: String, sha256: String) -> Self {
        Self {
            source: Source::Elsewhere { url, sha256 },
            known: Mutex::default(),
        }
    }

    /// The first of the usual places that holds one: beside the server's own
    /// binary, where the package puts it, where `make dist` leaves it.
    pub fn found() -> Option<Self> {
        Self::usual_place().map(Self::file)
    }

    /// Where [`Download::found`] finds it.
    pub fn usual_place() -> Option<PathBuf> {
        let here = std::env::current_exe().ok();
        let beside = here.as_deref().and_then(Path::parent);
        let mut places = vec![PathBuf::from("/usr/share/warren").join(FILE)];
        if let Some(beside) = beside {
            places.insert(0, beside.join(FILE));
        }
        places.push(PathBuf::from("dist").join(FILE));
        places.into_iter().find(|p| p.is_file())
    }

    /// Whether there is something to give at the moment.
    pub fn is_there(&self) -> bool {
        match &self.source {
            Source::File(path) => path.is_file(),
            Source::Elsewhere { .. } => true,
        }
    }

    /// Where machines fetch it; `base` is this server's URL.
    pub fn url(&self, base: &str) -> String {
        match &self.source {
            Source::File(_) => format!("{base}/dl/{FILE}"),
            Source::Elsewhere { url, .. } => url.clone(),
        }
    }

    /// Its SHA-256, hex.
    pub async fn sha256(&self) -> Result<String> {
        let path = match &self.source {
            Source::File(path) => path.clone(),
            Source::Elsewhere { sha256, .. } => return Ok(sha256.clone()),
        };
        let stamp = stamp(&path).ok_or(Error::NotFound)?;
        if let Some(known) = self.known.lock().map_err(poisoned)?.as_ref()
            && known.stamp == stamp
        {
            return Ok(known.sha256.clone());
        }
        let sha256 = tokio::task::spawn_blocking(move || hash(&path))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        *self.known.lock().map_err(poisoned)? = Some(Known {
            stamp,
            sha256: sha256.clone(),
        });
        Ok(sha256)
    }

    /// The binary as an answer.
    pub async fn answer(&self) -> Result<Response> {
        let Source::File(path) = &self.source else {
            return Err(Error::NotFound);
        };
        let file = tokio::fs::File::open(path)
            .await
            .map_err(|_| Error::NotFound)?;
        let length = file.metadata().await.map_err(Error::internal)?.len();
        let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}

fn poisoned<T>(_: std::sync::PoisonError<T>) -> Error {
    Error::Internal(anyhow::anyhow!("the digest's lock is poisoned"))
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hex::encode(hasher.finalize()))
}

/// How a machine comes to trust us before it has our agent.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// curl's `--pinnedpubkey` word, when our certificate is not a public one.
    pub pin: Option<String>,
}

/// The script, for a server at `base`.
pub fn script(base: &str, binary: &str, sha256: &str, trust: &Trust) -> String {
    let (arch, machine) = if cfg!(target_arch = "aarch64") {
        ("arm64", "aarch64|arm64")
    } else {
        ("amd64", "x86_64|amd64")
    };
    SCRIPT
        .replace("@UNIT@", UNIT.trim_end())
        .replace("@URL@", &quoted(base))
        .replace("@BINARY@", &quoted(binary))
        .replace("@SHA256@", &quoted(sha256))
        .replace("@MACHINE@", machine)
        .replace("@PIN@", &quoted(trust.pin.as_deref().unwrap_or_default()))
        .replace("@ARCH@", arch)
}

/// Safe between single quotes.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != '\'')
        .collect()
}

/// The command that fetches and runs the script.
pub fn command(base: &str, trust: &Trust) -> String {
    match &trust.pin {
        Some(pin) => {
            format!("curl -fsSk --pinnedpubkey '{pin}' {base}/install.sh | sh -s --")
        }
        None => format!("curl -fsSL {base}/install.sh | sh -s --"),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, process::Command};

    use super::*;

    fn rendered(binary: &Path, sha256: &str) -> String {
        let url = format!("file://{}", binary.display());
        script("http://127.0.0.1:8080", &url, sha256, &Trust::default())
    }

    fn run(script: &str, dir: &Path, args: &[&str]) -> std::process::Output {
        Command::new("sh")
            .args(["-c", script, "sh"])
            .args(args)
            .env("WARREN_INSTALL_DIR", dir)
            .output()
            .unwrap()
    }

    fn fake_agent(dir: &Path) -> PathBuf {
        let path = dir.join("agent");
        std::fs::write(&path, "#!/bin/sh\necho ran \"$@\"\n").unwrap();
        path
    }

    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn can_install() -> bool {
        let can = Command::new("curl").arg("--version").output().is_ok()
            && !Path::new("/run/systemd/system").exists();
        if !can {
            eprintln!("SKIPPED: needs curl, and a machine without systemd of its own");
        }
        can
    }

    #[tokio::test]
    async fn the_script_installs_what_was_announced_and_runs_it() {
        if !can_install() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let agent = fake_agent(dir.path());
        let sha256 = Download::file(agent.clone()).sha256().await.unwrap();
        let bin = dir.path().join("bin");
        let out = run(&rendered(&agent, &sha256), &bin, &["up", "--server", "x"]);
        assert!(out.status.success(), "{out:?}");
        assert_eq!(String::from_utf8_lossy(&out.stdout), "ran up --server x\n");
        let mode = std::fs::metadata(bin.join("warren")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o755);
    }

    #[test]
    fn another_file_than_the_announced_one_is_not_installed() {
        if !can_install() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let agent = fake_agent(dir.path());
        let bin = dir.path().join("bin");
        let out = run(&rendered(&agent, &"0".repeat(64)), &bin, &[]);
        assert!(!out.status.success());
        assert!(!bin.join("warren").exists());
        assert!(String::from_utf8_lossy(&out.stderr).contains("not the one"));
    }

    #[test]
    fn the_unit_is_that_of_the_package() {
        let script = script("http://h", "x", "y", &Trust::default());
        let script = script.replace("\nmain \"$@\"\n", "\nunit\n");
        let unit = |dir: &str| {
            let out = run(&script, Path::new(dir), &[]);
            assert!(out.status.success(), "{out:?}");
            String::from_utf8(out.stdout).unwrap()
        };
        let usual = UNIT.replace("/usr/bin/warren", "/usr/local/bin/warren");
        assert!(usual.contains("ExecStart=/usr/local/bin/warren daemon\n"));
        assert!(usual.contains("NoNewPrivileges=yes\n"), "it is hardened");
        assert_eq!(unit("/usr/local/bin"), usual);
        let at_home = UNIT
            .replace("/usr/bin/warren", "/home/ada/bin/warren")
            .replace("ProtectHome=yes", "ProtectHome=read-only");
        assert_eq!(unit("/home/ada/bin"), at_home);
    }

    #[tokio::test]
    async fn a_replaced_file_has_a_new_digest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent");
        std::fs::write(&path, "one").unwrap();
        let download = Download::file(path.clone());
        let first = download.sha256().await.unwrap();
        assert_eq!(download.sha256().await.unwrap(), first);
        std::fs::write(&path, "another").unwrap();
        assert_ne!(download.sha256().await.unwrap(), first);
    }

    #[test]
    fn nothing_of_the_server_can_leave_its_quotes() {
        let text = script("http://h/'; rm -rf /; '", "x", "y", &Trust::default());
        assert!(!text.contains("/'; rm"));
    }
}
