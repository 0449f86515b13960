//! Randomness behind one door.

use rand::{RngCore, rngs::OsRng};
use uuid::Uuid;
use wire::Timestamp;

/// The server's generator: the operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rng;

impl Rng {
    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        OsRng.fill_bytes(bytes);
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A UUID of version 7 for this instant (RFC 9562): sorts by time.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.unix_micros() / 1000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}

/// For ciphers and handshakes that take a generator.
pub fn system() -> OsRng {
    OsRng
}
