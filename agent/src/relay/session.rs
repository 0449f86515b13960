//! One connection with a relay: packets both ways until it breaks.

use std::time::Duration;

use bytes::BytesMut;
use link::relay::{ClientSession, Event, Frame, frame::send_packet_header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::{Notify, mpsc, watch},
    time::{Instant, timeout, timeout_at},
};
use wire::relay_map::RegionId;

use super::connect::{Greeted, Line, RelayError};
use crate::data::{Commands, RelaySend};

/// Relays give a sign of life each minute.
const SILENCE: Duration = Duration::from_mins(2);
/// After a change of the network the relay must answer within this.
pub(super) const CHECK: Duration = Duration::from_secs(2);
/// A write that takes longer means that the connection is dead.
const WRITE: Duration = Duration::from_secs(10);
/// Room for one read.
const READ: usize = 256 * 1024;
/// Frames are gathered up to this many bytes, four TLS records, before they are written.
const GATHER: usize = 64 * 1024;
/// Answers that wait to be written.
const REPLIES: usize = 16;

/// What a session is tied to.
pub(super) struct Ends<'a> {
    pub(super) region: RegionId,
    pub(super) commands: &'a Commands,
    pub(super) home: &'a mut watch::Receiver<Option<RegionId>>,
    pub(super) check: &'a Notify,
    pub(super) packets: &'a mut mpsc::Receiver<RelaySend>,
}

/// Runs until the connection ends; says why.
pub(super) async fn run(greeted: Greeted, ends: Ends<'_>) -> RelayError {
    let Greeted {
        line,
        session,
        input,
    } = greeted;
    let Ends {
        region,
        commands,
        home,
        check,
        packets,
    } = ends;
    let (reader, writer) = tokio::io::split(line);
    let (replies, reply_queue) = mpsc::channel(REPLIES);
    let read = Reader {
        region,
        commands,
        check,
        session,
        input,
        replies,
        checks: 0,
        owed: None,
    };
    let mut write = Writer {
        region,
        home,
        packets,
        replies: reply_queue,
        out: Vec::with_capacity(2 * GATHER),
    };
    tokio::select! {
        why = read.run(reader) => why,
        why = write.run(writer) => why,
    }
}

struct Reader<'a> {
    region: RegionId,
    commands: &'a Commands,
    check: &'a Notify,
    session: ClientSession,
    input: BytesMut,
    replies: mpsc::Sender<Vec<u8>>,
    /// Checks so far.
    checks: u64,
    /// By when the last check must be answered: what else arrives may have been under way before.
    owed: Option<Instant>,
}

impl Reader<'_> {
    async fn run(mut self, mut reader: ReadHalf<Line>) -> RelayError {
        let mut heard = Instant::now();
        loop {
            if let Err(why) = self.take() {
                return why;
            }
            let output = std::mem::take(self.session.output());
            if !output.is_empty() {
                let _ = self.replies.send(output).await;
            }
            self.input.reserve(READ);
            let deadline = self.owed.unwrap_or(heard + SILENCE);
            tokio::select! {
                read = timeout_at(deadline, reader.read_buf(&mut self.input)) => match read {
                    Ok(Ok(0)) => {
                        return RelayError::Broken(std::io::ErrorKind::UnexpectedEof.into());
                    }
                    Ok(Ok(_)) => heard = Instant::now(),
                    Ok(Err(why)) => return RelayError::Broken(why),
                    Err(_) => return RelayError::Slow,
                },
                () = self.check.notified() => self.ask(),
            }
        }
    }

    /// Asks the relay whether it is there.
    fn ask(&mut self) {
        self.checks += 1;
        self.session.ping(self.checks.to_be_bytes());
        self.owed = Some(Instant::now() + CHECK);
    }

    /// Hands over every whole frame.
    fn take(&mut self) -> Result<(), RelayError> {
        while let Some(event) = self
            .session
            .handle_input(&mut self.input)
            .map_err(RelayError::Session)?
        {
            match event {
                Event::Received { from, packet } => {
                    self.commands.offer_packet(self.region, from, packet);
                }
                Event::Health(text) if !text.is_empty() => {
                    tracing::warn!(region = %self.region, %text, "the relay complains");
                }
                Event::Pong(data) if data == self.checks.to_be_bytes() => self.owed = None,
                Event::Ready
                | Event::PeerGone { .. }
                | Event::Pong(_)
                | Event::Health(_)
                | Event::Restarting { .. }
                | Event::KeepAlive => {}
            }
        }
        Ok(())
    }
}

struct Writer<'a> {
    region: RegionId,
    home: &'a mut watch::Receiver<Option<RegionId>>,
    packets: &'a mut mpsc::Receiver<RelaySend>,
    replies: mpsc::Receiver<Vec<u8>>,
    out: Vec<u8>,
}

impl Writer<'_> {
    async fn run(&mut self, mut writer: WriteHalf<Line>) -> RelayError {
        self.home.mark_changed();
        loop {
            tokio::select! {
                packet = self.packets.recv() => match packet {
                    Some(packet) => put(&packet, &mut self.out),
                    None => return RelayError::NoHost,
                },
                Some(reply) = self.replies.recv() => self.out.extend_from_slice(&reply),
                Ok(()) = self.home.changed() => {
                    let home = *self.home.borrow_and_update() == Some(self.region);
                    Frame::NotePreferred(home).encode(&mut self.out);
                }
            }
            while self.out.len() < GATHER
                && let Ok(packet) = self.packets.try_recv()
            {
                put(&packet, &mut self.out);
            }
            let written = async {
                writer.write_all(&self.out).await?;
                writer.flush().await
            };
            match timeout(WRITE, written).await {
                Ok(Ok(())) => self.out.clear(),
                Ok(Err(why)) => return RelayError::Broken(why),
                Err(_) => return RelayError::Slow,
            }
        }
    }
}

/// A frame for each packet of the train.
fn put(train: &RelaySend, out: &mut Vec<u8>) {
    for packet in train.bytes.chunks(train.segment_size.max(1)) {
        out.extend_from_slice(&send_packet_header(&train.to, packet.len()));
        out.extend_from_slice(packet);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use wire::NodeKey;

    use super::*;

    #[test]
    fn every_packet_of_a_train_gets_a_frame() {
        let to = NodeKey::from_bytes([7; 32]);
        let train = RelaySend {
            region: RegionId(900),
            to,
            segment_size: 3,
            bytes: Bytes::from_static(b"aaabbbc"),
        };
        let mut out = Vec::new();
        put(&train, &mut out);
        let mut expected = Vec::new();
        for packet in [&b"aaa"[..], b"bbb", b"c"] {
            Frame::SendPacket { to, packet }.encode(&mut expected);
        }
        assert_eq!(out, expected);
    }
}
