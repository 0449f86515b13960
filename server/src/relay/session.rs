//! One connection: greeting, then trains in and out until it ends.
//!
//! Reading and writing are two futures of one task. A train that was read is in
//! the receiver's outbox when the reader goes on; before an outbox can overflow
//! the reader gives way, so that writers drain what it filled.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use link::{
    queue::Class,
    relay::{
        Frame,
        frame::GoneReason,
        switchboard::SessionId,
        train::{self, Inbound},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout},
};
use wire::{NodeKey, TenantId};

use super::{
    Counters, Relay, greet,
    outbox::{Closed, Outbox, Train},
};

/// A client has so long to prove its key.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// A write that makes no end in so long ends the session.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// Signs of life go out this often, later by up to [`KEEPALIVE_JITTER_MS`].
const KEEPALIVE: Duration = Duration::from_mins(1);
/// Spreads the keepalives of clients that came at once.
const KEEPALIVE_JITTER_MS: u64 = 5_000;
/// Bytes that one write takes at most, some TLS records.
const WRITE_SIZE: usize = 64 * 1024;
/// Room that a read finds at least.
const READ_SIZE: usize = 64 * 1024;
/// The reader gives way after so many bytes or trains, well before an outbox is full.
const TURN_BYTES: usize = 64 * 1024;
const TURN_TRAINS: usize = 16;
/// Trains below this size are copied, so that a waiting one does not hold a whole read.
const COPY_BELOW: usize = 4 * 1024;
/// Routes remembered by a session.
const MAX_ROUTES: usize = 1024;
/// Answers "not here" that may be given at once; one more each second.
const NOT_HERE_BURST: u32 = 3;

/// Runs a connection from its greeting to its end.
pub(super) async fn run<S>(relay: Arc<Relay>, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut input = BytesMut::with_capacity(READ_SIZE);
    let greeting = greet::hello(&relay, &mut stream, &mut input);
    let hello = match timeout(GREETING_TIMEOUT, greeting).await {
        Ok(Ok(hello)) => hello,
        Ok(Err(why)) => {
            Counters::add(&relay.counters.failed, 1);
            tracing::debug!(error = &why as &dyn std::error::Error, "no relay session");
            return;
        }
        Err(_) => return Counters::add(&relay.counters.failed, 1),
    };
    let Some(tenant) = relay.admission.tenant_of(&hello.key) else {
        Counters::add(&relay.counters.refused, 1);
        tracing::debug!("relay session refused: the key is not admitted");
        return;
    };
    let welcome = greet::welcome(&relay, &hello.key, &mut stream);
    if !matches!(timeout(WRITE_TIMEOUT, welcome).await, Ok(Ok(()))) {
        return Counters::add(&relay.counters.failed, 1);
    }
    Counters::add(&relay.counters.accepted, 1);
    let Some(session) = Session::attach(&relay, hello.key, tenant) else {
        return Counters::add(&relay.counters.refused, 1);
    };
    let (reader, writer) = tokio::io::split(stream);
    let outbox = session.outbox.clone();
    let ended = tokio::select! {
        ended = session.read(reader, input) => ended,
        ended = write(writer, &outbox, &hello.key) => ended,
    };
    if let Err(why) = ended {
        tracing::debug!(
            error = &why as &dyn std::error::Error,
            "relay session ended"
        );
    }
}

/// A connected client; dropping it disconnects it.
struct Session {
    relay: Arc<Relay>,
    id: SessionId,
    key: NodeKey,
    outbox: Arc<Outbox>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.relay.board.detach(self.id);
    }
}

impl Session {
    /// Connects the client; `None` when its key was revoked meanwhile.
    fn attach(relay: &Arc<Relay>, key: NodeKey, tenant: TenantId) -> Option<Self> {
        let outbox = Arc::<Outbox>::default();
        let session = Self {
            relay: relay.clone(),
            id: relay.board.attach(key, tenant, outbox.clone()),
            key,
            outbox,
        };
        // A revocation before this look-up is seen by it, a later one by the follower.
        let still = relay.admission.tenant_of(&key) == Some(tenant) && !relay.stop.is_cancelled();
        still.then_some(session)
    }

    async fn read(
        &self,
        mut reader: impl AsyncRead + Unpin,
        mut input: BytesMut,
    ) -> io::Result<()> {
        let mut routes = Routes::default();
        let mut not_here = Allowance::new(Instant::now());
        let (mut bytes, mut trains) = (0, 0);
        loop {
            while let Some(inbound) =
                train::next(&self.key, &mut input).map_err(io::Error::other)?
            {
                self.handle(inbound, &mut routes, &mut not_here);
                trains += 1;
                if trains >= TURN_TRAINS {
                    (bytes, trains) = (0, 0);
                    tokio::task::yield_now().await;
                }
            }
            if bytes >= TURN_BYTES {
                (bytes, trains) = (0, 0);
                tokio::task::yield_now().await;
            }
            input.reserve(READ_SIZE);
            match reader.read_buf(&mut input).await? {
                0 => return Ok(()),
                n => bytes += n,
            }
        }
    }

    fn handle(&self, inbound: Inbound, routes: &mut Routes, not_here: &mut Allowance) {
        match inbound {
            Inbound::Train {
                to,
                class,
                packets,
                frames,
            } => match routes.find(&self.relay, self.id, &to) {
                Some(peer) => self.forward(peer, class, packets, frames),
                None => self.answer_not_here(to, class, packets, not_here),
            },
            Inbound::Ping(data) => self.outbox.push_frame(&Frame::Pong(data)),
            Inbound::Other => {}
        }
    }

    fn forward(&self, peer: &Outbox, class: Class, packets: u32, frames: Bytes) {
        let counters = &self.relay.counters;
        let size = u64::try_from(frames.len()).unwrap_or_default();
        let frames = if frames.len() < COPY_BELOW {
            Bytes::copy_from_slice(&frames)
        } else {
            frames
        };
        let dropped = peer.push(class, Train { frames, packets });
        Counters::add(&counters.forwarded_packets, packets.into());
        Counters::add(&counters.forwarded_bytes, size);
        if dropped > 0 {
            Counters::add(&counters.dropped_full, dropped.into());
        }
    }

    /// Only discovery is answered, and not often: the answer must not be a way
    /// to find out who is connected.
    fn answer_not_here(&self, peer: NodeKey, class: Class, packets: u32, budget: &mut Allowance) {
        Counters::add(&self.relay.counters.dropped_not_here, packets.into());
        if class == Class::Disco && budget.take(Instant::now()) {
            self.outbox.push_frame(&Frame::PeerGone {
                peer,
                reason: GoneReason::NotHere,
            });
        }
    }
}

/// Routes that hold until somebody comes or goes.
#[derive(Default)]
struct Routes {
    generation: u64,
    known: HashMap<NodeKey, Option<Arc<Outbox>>>,
}

impl Routes {
    fn find(&mut self, relay: &Relay, from: SessionId, to: &NodeKey) -> Option<&Outbox> {
        let generation = relay.board.generation();
        if generation != self.generation || self.known.len() > MAX_ROUTES {
            self.generation = generation;
            self.known.clear();
        }
        self.known
            .entry(*to)
            .or_insert_with(|| relay.board.route(from, to))
            .as_deref()
    }
}

/// So many at once, then one each second.
struct Allowance {
    left: u32,
    at: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            left: NOT_HERE_BURST,
            at: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let seconds = now.duration_since(self.at).as_secs();
        if seconds > 0 {
            let more = u32::try_from(seconds).unwrap_or(NOT_HERE_BURST);
            self.left = self.left.saturating_add(more).min(NOT_HERE_BURST);
            self.at = now;
        }
        let granted = self.left > 0;
        self.left = self.left.saturating_sub(1);
        granted
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    outbox: &Outbox,
    key: &NodeKey,
) -> io::Result<()> {
    let mut out = Vec::with_capacity(2 * WRITE_SIZE);
    let mut keepalive = Instant::now() + keepalive_after(key);
    loop {
        out.clear();
        if let Err(Closed) = outbox.take(&mut out, WRITE_SIZE) {
            return Ok(());
        }
        if out.is_empty() {
            tokio::select! {
                () = outbox.wait() => continue,
                () = sleep_until(keepalive) => {
                    keepalive = Instant::now() + keepalive_after(key);
                    Frame::KeepAlive.encode(&mut out);
                }
            }
        }
        let written = async {
            writer.write_all(&out).await?;
            writer.flush().await
        };
        timeout(WRITE_TIMEOUT, written).await??;
        if out.capacity() > 4 * WRITE_SIZE {
            out = Vec::with_capacity(2 * WRITE_SIZE);
        }
    }
}

/// The pause between keepalives, spread over clients by their keys.
fn keepalive_after(key: &NodeKey) -> Duration {
    let [a, b, ..] = *key.as_bytes();
    let part = u64::from(u16::from_be_bytes([a, b]));
    KEEPALIVE + Duration::from_millis(part * KEEPALIVE_JITTER_MS / u64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_allowance_fills_up_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let later = |s| start + Duration::from_secs(s);
        assert_eq!(
            [0; 4].map(|_| allowance.take(start)),
            [true, true, true, false]
        );
        assert!(allowance.take(later(1)));
        assert!(!allowance.take(later(1)));
        assert_eq!(
            [0; 4].map(|_| allowance.take(later(90))),
            [true, true, true, false]
        );
    }

    #[test]
    fn keepalives_are_spread() {
        let low = keepalive_after(&NodeKey::from_bytes([0; 32]));
        let high = keepalive_after(&NodeKey::from_bytes([255; 32]));
        assert_eq!((low.as_secs(), high.as_secs()), (60, 65));
    }
}
