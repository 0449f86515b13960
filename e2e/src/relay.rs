//! A session of our own with the server's relay: what somebody who holds a
//! node's key could do without our agent. TLS is `openssl s_client`.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::BytesMut;
use link::relay::{ClientSession, Event};
use wire::{NodeKey, NodeSecret};

use crate::{eventually::now, stack::Stack};

/// A connection that the relay has accepted.
#[derive(Debug)]
pub struct RelaySession {
    tls: Child,
    bytes: Receiver<Vec<u8>>,
    input: BytesMut,
    session: ClientSession,
}

impl RelaySession {
    /// Connects as the node that holds `key`.
    pub fn connect(stack: &Stack, key: NodeSecret) -> Result<Self> {
        let mut tls = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-connect"])
            .arg(format!("{}:443", stack.host.address))
            .arg("-CAfile")
            .arg(stack.ca_file()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting openssl")?;
        let mut stdout = tls.stdout.take().context("a pipe")?;
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut session = Self {
            tls,
            bytes,
            input: BytesMut::new(),
            session: ClientSession::new(key, rand::random()),
        };
        session.upgrade(&stack.host.address.to_string())?;
        match session.event(Duration::from_secs(5))? {
            Some(Event::Ready) => Ok(session),
            other => bail!("the relay does not take us in: {other:?}"),
        }
    }

    fn upgrade(&mut self, host: &str) -> Result<()> {
        let ask = format!(
            "GET /derp HTTP/1.1\r\nHost: {host}\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n"
        );
        self.write(ask.as_bytes())?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(at) = answer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            let more = self.bytes.recv_timeout(Duration::from_secs(5));
            answer.extend(more.context("the relay closed before it answered")?);
        };
        ensure!(
            answer.starts_with(b"HTTP/1.1 101 "),
            "the relay answered {}",
            String::from_utf8_lossy(&answer)
        );
        self.input.extend_from_slice(&answer[end..]);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stdin = self.tls.stdin.as_mut().context("a pipe")?;
        stdin.write_all(bytes)?;
        Ok(stdin.flush()?)
    }

    /// Sends a packet to a node.
    pub fn send(&mut self, to: &NodeKey, packet: &[u8]) -> Result<()> {
        self.session.send(to, packet);
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let out = std::mem::take(self.session.output());
        if out.is_empty() {
            return Ok(());
        }
        self.write(&out)
    }

    /// What happens next; `None` when nothing does.
    fn event(&mut self, within: Duration) -> Result<Option<Event>> {
        let deadline = now() + within;
        loop {
            let event = self.session.handle_input(&mut self.input)?;
            self.flush()?;
            if event.is_some() {
                return Ok(event);
            }
            let left = deadline.saturating_duration_since(now());
            match self.bytes.recv_timeout(left) {
                Ok(more) => self.input.extend_from_slice(&more),
                Err(_) => return Ok(None),
            }
        }
    }

    /// The next packet and its sender; `None` when none comes.
    pub fn receive(&mut self, within: Duration) -> Result<Option<(NodeKey, Vec<u8>)>> {
        let deadline = now() + within;
        loop {
            let left = deadline.saturating_duration_since(now());
            match self.event(left)? {
                None => return Ok(None),
                Some(Event::Received { from, packet }) => return Ok(Some((from, packet.to_vec()))),
                Some(
                    Event::Ready
                    | Event::PeerGone { .. }
                    | Event::Pong(_)
                    | Event::Health(_)
                    | Event::Restarting { .. }
                    | Event::KeepAlive,
                ) => {}
            }
        }
    }
}

impl Drop for RelaySession {
    fn drop(&mut self) {
        let _ = self.tls.kill();
        let _ = self.tls.wait();
    }
}
