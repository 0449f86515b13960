//! The Noise symmetric state: a running hash and a running key.

use blake2::{Blake2s256, Digest};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use wire::{CapabilityVersion, MachineKey, MachineSecret};
use zeroize::Zeroizing;

use super::HandshakeError;

const PROTOCOL: &[u8; 32] = b"Noise_IK_25519_ChaChaPoly_BLAKE2";

/// Every key encrypts one message only, so the nonce is always zero.
const NONCE: [u8; 12] = [0; 12];

/// A key that has not been used yet.
pub(super) type OneTimeKey = Zeroizing<[u8; 32]>;

#[derive(Debug)]
pub(super) struct Symmetric {
    hash: [u8; 32],
    chaining_key: Zeroizing<[u8; 32]>,
}

impl Symmetric {
    /// The state after the prologue and the responder's static key.
    pub(super) fn new(version: CapabilityVersion, server: &MachineKey) -> Self {
        // The protocol's name is 33 bytes long, so the hash of it is the start.
        let mut name = PROTOCOL.to_vec();
        name.push(b's');
        let start: [u8; 32] = Blake2s256::digest(&name).into();
        let mut state = Self {
            hash: start,
            chaining_key: Zeroizing::new(start),
        };
        state.mix_hash(format!("Tailscale Control Protocol v{version}").as_bytes());
        state.mix_hash(server.as_bytes());
        state
    }

    pub(super) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Blake2s256::new()
            .chain_update(self.hash)
            .chain_update(data)
            .finalize()
            .into();
    }

    /// Mixes a Diffie-Hellman result in and gives the key for the next message.
    pub(super) fn mix_dh(
        &mut self,
        ours: &MachineSecret,
        theirs: &MachineKey,
    ) -> Result<OneTimeKey, HandshakeError> {
        let theirs = x25519_dalek::PublicKey::from(*theirs.as_bytes());
        let shared = ours.secret().diffie_hellman(&theirs);
        if !shared.was_contributory() {
            return Err(HandshakeError::WeakKey);
        }
        let (chaining_key, key) = hkdf(&self.chaining_key, shared.as_bytes());
        self.chaining_key = chaining_key;
        Ok(key)
    }

    /// Appends the sealed `plain` to `out` and mixes it into the hash.
    pub(super) fn seal_and_hash(
        &mut self,
        key: &mut OneTimeKey,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), HandshakeError> {
        let sealed = cipher(key)
            .encrypt(
                &NONCE.into(),
                Payload {
                    msg: plain,
                    aad: &self.hash,
                },
            )
            .map_err(|_| HandshakeError::Authentication)?;
        self.mix_hash(&sealed);
        out.extend_from_slice(&sealed);
        Ok(())
    }

    /// Opens `sealed` and mixes it into the hash.
    pub(super) fn open_and_hash(
        &mut self,
        key: &mut OneTimeKey,
        sealed: &[u8],
    ) -> Result<Vec<u8>, HandshakeError> {
        let plain = cipher(key)
            .decrypt(
                &NONCE.into(),
                Payload {
                    msg: sealed,
                    aad: &self.hash,
                },
            )
            .map_err(|_| HandshakeError::Authentication)?;
        self.mix_hash(sealed);
        Ok(plain)
    }

    /// The keys of the connection: what the initiator sends with, what it receives with.
    pub(super) fn split(self) -> (OneTimeKey, OneTimeKey) {
        hkdf(&self.chaining_key, &[])
    }
}

fn cipher(key: &OneTimeKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key).into())
}

/// Noise's HKDF with two outputs (RFC 5869 with the chaining key as salt).
fn hkdf(chaining_key: &[u8; 32], input: &[u8]) -> (OneTimeKey, OneTimeKey) {
    let mut out = Zeroizing::new([0; 64]);
    // 64 bytes are two blocks of the 255 that HKDF can give: it cannot fail.
    let _ = hkdf::SimpleHkdf::<Blake2s256>::new(Some(chaining_key), input).expand(&[], &mut *out);
    let (first, second) = out.split_at(32);
    let take = |half: &[u8]| {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(half);
        key
    };
    (take(first), take(second))
}
