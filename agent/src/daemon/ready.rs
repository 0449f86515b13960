//! Telling systemd how far the daemon is (`sd_notify`).

use std::{
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    path::Path,
};

/// Sends `state` to the socket that systemd named; without one nothing is done.
pub(super) fn tell(socket: Option<&Path>, state: &str) {
    let Some(socket) = socket else { return };
    if let Err(why) = send(socket, state) {
        tracing::warn!(error = %why, "systemd cannot be told");
    }
}

fn send(socket: &Path, state: &str) -> io::Result<()> {
    let addr = match socket.as_os_str().as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &addr)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_arrives_at_the_named_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        tell(Some(&path), "READY=1");
        let mut got = [0; 16];
        let len = systemd.recv(&mut got).unwrap();
        assert_eq!(&got[..len], b"READY=1");
        tell(None, "READY=1");
    }
}
