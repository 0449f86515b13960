//! What happened, one line each.

use std::{fmt, net::SocketAddr, time::Duration};

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// The line lost it.
    Lost,
    /// It was longer than the line takes.
    TooLong,
    /// A NAT had no mapping or filtered it.
    Filtered,
    /// A firewall drops UDP.
    Blocked,
    /// Nobody has the address.
    NoHost,
}

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Since the clock's beginning.
    pub at: Duration,
    /// The source as the receiver's side saw it, or a relay's client.
    pub from: String,
    /// The destination.
    pub to: String,
    /// The payload's length.
    pub len: usize,
    /// A guess at the content, by its first bytes.
    pub what: &'static str,
    /// What became of it.
    pub fate: Fate,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.as_secs_f64();
        let Self {
            from,
            to,
            len,
            what,
            fate,
            ..
        } = self;
        write!(f, "{at:10.4} {from} -> {to} {what} {len} B {fate:?}")
    }
}

/// Everything that happened, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The lines.
    pub entries: Vec<Entry>,
}

impl Trace {
    pub(crate) fn note(
        &mut self,
        at: Duration,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        fate: Fate,
    ) {
        self.entries.push(Entry {
            at,
            from: from.to_string(),
            to: to.to_string(),
            len: bytes.len(),
            what: name(bytes),
            fate,
        });
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|e| writeln!(f, "{e}"))
    }
}

/// What a payload looks like.
pub(crate) fn name(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x54, 0x53, 0xf0, ..] => "disco",
        [0 | 1, 1, _, _, 0x21, 0x12, ..] => "stun",
        [1, 0, 0, 0, ..] => "initiation",
        [2, 0, 0, 0, ..] => "response",
        [3, 0, 0, 0, ..] => "cookie",
        [4, 0, 0, 0, ..] => "data",
        _ => "other",
    }
}
