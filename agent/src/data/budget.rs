//! How much is taken in one go, and how much may wait.

/// What is taken from one source before the others get their turn: so many
/// reads, that packets which come one by one still share trains, and so many
/// bytes, that superpackets do not keep the others waiting.
#[derive(Debug)]
pub(super) struct Portion {
    reads: usize,
    bytes: usize,
}

impl Portion {
    pub(super) const fn new() -> Self {
        Self {
            reads: 64,
            bytes: 1 << 20,
        }
    }

    /// Whether there may be another read.
    pub(super) const fn has_more(&mut self) -> bool {
        let more = self.reads > 0 && self.bytes > 0;
        self.reads = self.reads.saturating_sub(1);
        more
    }

    pub(super) const fn take(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Commands taken before the other inputs get their turn.
pub(super) const COMMANDS: usize = 256;

/// Commands, packets from relays among them, that may wait for the thread.
pub(super) const QUEUED_COMMANDS: usize = 1024;
/// Notices that may wait for the rest of the agent.
pub(super) const QUEUED_NOTICES: usize = 256;
/// Trains that may wait for relay connections.
pub(super) const QUEUED_TRAINS: usize = 512;
/// Bytes that may wait for relay connections: two superpackets, so that one is there when the
/// other is written. More would not be faster, only later.
pub(super) const QUEUED_RELAY_BYTES: usize = 128 * 1024;
/// A train this short passes even then: acknowledgements and path discovery.
pub(super) const SHORT_TRAIN: usize = 2048;
