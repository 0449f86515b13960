//! What lies between a host and the public network.

use std::time::Duration;

/// A line, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// How long a datagram takes.
    pub latency: Duration,
    /// How many of 1,000 datagrams are lost.
    pub loss_per_mille: u32,
    /// The longest UDP payload that passes.
    pub mtu: usize,
}

impl Default for Link {
    /// 5 ms, no loss, Ethernet's MTU less IP and UDP headers.
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(5),
            loss_per_mille: 0,
            mtu: 1472,
        }
    }
}
