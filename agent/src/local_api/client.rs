//! The command line's side of the socket.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Reply, Request};

/// A daemon that has just been started needs a moment to make its socket.
const START: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(50);
/// How long an answer may take that waits for nobody outside of the daemon.
const ANSWER: Duration = Duration::from_secs(30);

/// Why nothing is heard of the daemon.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error(
        "no warren daemon answers at {}. Start it: `systemctl start warren`, or `warren daemon` as \
         root where there is no systemd",
        .0.display()
    )]
    NotRunning(PathBuf),
    /// The socket is not for this user.
    #[error(
        "{} is for root and for the user that the daemon runs as: run this with sudo",
        .0.display()
    )]
    Denied(PathBuf),
    /// It stopped in the middle.
    #[error("the daemon at {} does not answer as it should: {source}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// Replies as they come.
#[derive(Debug)]
pub struct Replies {
    path: PathBuf,
    lines: BufReader<UnixStream>,
}

/// Sends a request; waits a moment for a daemon that is just starting.
pub fn ask(path: &Path, request: &Request) -> Result<Replies, ClientError> {
    let patience = match request {
        // For a server, or a person: the caller counts the time.
        Request::Up(_) => None,
        Request::Down
        | Request::Logout
        | Request::Status
        | Request::Ping { .. }
        | Request::Netcheck
        | Request::Bugreport => Some(ANSWER),
    };
    ask_within(path, request, patience)
}

fn ask_within(
    path: &Path,
    request: &Request,
    patience: Option<Duration>,
) -> Result<Replies, ClientError> {
    let broken = |source| ClientError::Broken {
        path: path.to_owned(),
        source,
    };
    let mut stream = connect(path)?;
    stream.set_write_timeout(Some(ANSWER)).map_err(broken)?;
    stream.set_read_timeout(patience).map_err(broken)?;
    let mut line = serde_json::to_vec(request).map_err(|e| broken(e.into()))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(broken)?;
    Ok(Replies {
        path: path.to_owned(),
        lines: BufReader::new(stream),
    })
}

fn connect(path: &Path) -> Result<UnixStream, ClientError> {
    let mut waited = Duration::ZERO;
    loop {
        let why = match UnixStream::connect(path) {
            Ok(stream) => return Ok(stream),
            Err(why) => why,
        };
        if why.kind() == io::ErrorKind::PermissionDenied {
            return Err(ClientError::Denied(path.to_owned()));
        }
        if waited >= START {
            return Err(ClientError::NotRunning(path.to_owned()));
        }
        std::thread::sleep(STEP);
        waited += STEP;
    }
}

impl Replies {
    /// The next reply; no reply is an error.
    pub fn read(&mut self) -> Result<Reply, ClientError> {
        let broken = |source| ClientError::Broken {
            path: self.path.clone(),
            source,
        };
        let mut line = String::new();
        let len = match self.lines.read_line(&mut line) {
            // So the system says that the time is over.
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                let slow = "it says nothing; is it stopped, or stuck?";
                return Err(broken(io::Error::new(io::ErrorKind::TimedOut, slow)));
            }
            read => read.map_err(broken)?,
        };
        if len == 0 {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_str(&line).map_err(|e| broken(e.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_daemon_that_says_nothing_is_not_waited_for_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let _stopped = UnixListener::bind(&path).unwrap();
        let mut replies = ask_within(&path, &Request::Status, Some(STEP)).unwrap();
        let why = replies.read().unwrap_err().to_string();
        assert!(why.contains("it says nothing"), "{why}");
    }
}
