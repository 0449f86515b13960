//! How much is taken in one go, and how much may wait.

/// Superpackets read from the TUN before the other inputs get their turn.
pub(super) const TUN_READS: usize = 16;
/// Trains received from one socket before the other inputs get their turn.
/// Many, so that packets that arrive one by one still share writes to the TUN.
pub(super) const UDP_RECEIVES: usize = 64;
/// Commands taken before the other inputs get their turn.
pub(super) const COMMANDS: usize = 256;

/// Commands, packets from relays among them, that may wait for the thread.
pub(super) const QUEUED_COMMANDS: usize = 1024;
/// Notices that may wait for the rest of the agent.
pub(super) const QUEUED_NOTICES: usize = 256;
/// Trains that may wait for relay connections.
pub(super) const QUEUED_TRAINS: usize = 512;
/// Bytes that may wait for relay connections; more would only be later.
pub(super) const QUEUED_RELAY_BYTES: usize = 1 << 20;
/// A train this short passes even then: acknowledgements and path discovery.
pub(super) const SHORT_TRAIN: usize = 2048;
