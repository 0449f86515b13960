//! Encrypted records: type 4 ‖ u16 length ‖ ciphertext, at most 4,096 bytes with the header.
//!
//! The nonce is four zero bytes and a **big-endian** counter; Noise itself
//! writes it little-endian, Tailscale's protocol does not.

use bytes::{Buf, BytesMut};
use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};

use super::{HEADER_LEN, symmetric::OneTimeKey};

/// The largest record with its header.
pub const MAX_RECORD: usize = 4096;
/// The largest plaintext of one record.
pub const MAX_PLAINTEXT: usize = MAX_RECORD - HEADER_LEN - TAG_LEN;

const TYPE_RECORD: u8 = 4;
const TAG_LEN: usize = 16;

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not a record, or a longer one than the protocol allows.
    #[error("the record is malformed")]
    Malformed,
    /// The tag did not verify.
    #[error("the record did not verify")]
    Authentication,
    /// The counter has run out.
    #[error("the connection has sent as many records as its key allows")]
    Exhausted,
}

struct Direction {
    cipher: ChaCha20Poly1305,
    counter: u64,
}

impl Direction {
    fn new(key: &OneTimeKey) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new((&**key).into()),
            counter: 0,
        }
    }

    fn next_nonce(&mut self) -> Result<Nonce, RecordError> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(RecordError::Exhausted)?;
        let mut nonce = Nonce::default();
        nonce
            .iter_mut()
            .skip(4)
            .zip(counter.to_be_bytes())
            .for_each(|(to, from)| *to = from);
        Ok(nonce)
    }
}

/// Turns a byte stream into records.
pub struct Sealer(Direction);

impl Sealer {
    pub(super) fn new(key: &OneTimeKey) -> Self {
        Self(Direction::new(key))
    }

    /// Appends the records that hold `plain` to `out`: none when it is empty.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        plain
            .chunks(MAX_PLAINTEXT)
            .try_for_each(|chunk| self.seal_one(chunk, out))
    }

    pub(super) fn seal_one(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        let nonce = self.0.next_nonce()?;
        let len = u16::try_from(plain.len() + TAG_LEN).map_err(|_| RecordError::Malformed)?;
        out.push(TYPE_RECORD);
        out.extend_from_slice(&len.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(plain);
        let body = out.get_mut(start..).ok_or(RecordError::Malformed)?;
        let tag = self
            .0
            .cipher
            .encrypt_in_place_detached(&nonce, &[], body)
            .map_err(|_| RecordError::Authentication)?;
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// Turns records back into a byte stream.
pub struct Opener(Direction);

impl Opener {
    pub(super) fn new(key: &OneTimeKey) -> Self {
        Self(Direction::new(key))
    }

    /// Takes every whole record off the front of `input` and appends what it
    /// holds to `out`. An incomplete record stays in `input`.
    pub fn open(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<(), RecordError> {
        while let Some((&[kind, hi, lo], _)) = input.split_first_chunk::<HEADER_LEN>() {
            let len = usize::from(u16::from_be_bytes([hi, lo]));
            if kind != TYPE_RECORD || !(TAG_LEN..=MAX_RECORD - HEADER_LEN).contains(&len) {
                return Err(RecordError::Malformed);
            }
            if input.len() < HEADER_LEN + len {
                break;
            }
            input.advance(HEADER_LEN);
            self.open_one(input.split_to(len), out)?;
        }
        Ok(())
    }

    fn open_one(&mut self, mut sealed: BytesMut, out: &mut BytesMut) -> Result<(), RecordError> {
        let nonce = self.0.next_nonce()?;
        let tag = sealed.split_off(sealed.len() - TAG_LEN);
        self.0
            .cipher
            .decrypt_in_place_detached(&nonce, &[], &mut sealed, Tag::from_slice(&tag))
            .map_err(|_| RecordError::Authentication)?;
        out.extend_from_slice(&sealed);
        Ok(())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("counter", &self.0.counter)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener")
            .field("counter", &self.0.counter)
            .finish_non_exhaustive()
    }
}
