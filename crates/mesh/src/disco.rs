//! Sealing and opening of path-discovery packets (NaCl boxes between disco keys).

use crypto_box::{
    PublicKey, SalsaBox, SecretKey,
    aead::{AeadInPlace, generic_array::GenericArray},
};
use rand_core::RngCore;
use wire::{
    DiscoKey, DiscoSecret,
    disco::{Envelope, HEADER_LEN, Message, SEAL_OVERHEAD},
};

/// The longest disco packet read: a ping padded to a large path's size.
pub(crate) const MAX_PACKET: usize = 2_048;

/// The key shared with one peer, computed once.
pub(crate) struct Shared(SalsaBox);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(…)")
    }
}

impl Shared {
    pub(crate) fn new(own: &DiscoSecret, peer: &DiscoKey) -> Self {
        let secret = SecretKey::from_bytes(own.secret().to_bytes());
        Self(SalsaBox::new(
            &PublicKey::from_bytes(*peer.as_bytes()),
            &secret,
        ))
    }

    /// The whole packet for `message`.
    pub(crate) fn seal(
        &self,
        own: &DiscoKey,
        message: &Message,
        rng: &mut impl RngCore,
    ) -> Vec<u8> {
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        let mut packet = Vec::with_capacity(256);
        Envelope::encode_header(own, &nonce, &mut packet);
        let mut plain = Vec::with_capacity(128);
        message.encode(&mut plain);
        let nonce = GenericArray::from_slice(&nonce);
        let Ok(tag) = self.0.encrypt_in_place_detached(nonce, &[], &mut plain) else {
            return Vec::new();
        };
        packet.extend_from_slice(&tag);
        packet.extend_from_slice(&plain);
        packet
    }

    /// The message inside; `None` when it is not authentic or not readable.
    pub(crate) fn open(&self, envelope: &Envelope<'_>) -> Option<Message> {
        if envelope.sealed.len() > MAX_PACKET - HEADER_LEN {
            return None;
        }
        let (tag, cipher) = envelope.sealed.split_first_chunk::<SEAL_OVERHEAD>()?;
        let mut plain = cipher.to_vec();
        self.0
            .decrypt_in_place_detached(
                GenericArray::from_slice(&envelope.nonce),
                &[],
                &mut plain,
                GenericArray::from_slice(tag),
            )
            .ok()?;
        Message::parse(&plain)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    fn secret(byte: u8) -> DiscoSecret {
        DiscoSecret::from_bytes([byte; 32])
    }

    #[test]
    fn the_peer_opens_what_was_sealed_and_nobody_else() {
        let (a, b, c) = (secret(1), secret(2), secret(3));
        let message = Message::Ping {
            tx: [7; 12],
            node_key: None,
            padding: 0,
        };
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        let packet = Shared::new(&a, &b.public()).seal(&a.public(), &message, &mut rng);
        let envelope = Envelope::parse(&packet).unwrap();
        assert_eq!(envelope.sender, a.public());
        assert_eq!(Shared::new(&b, &a.public()).open(&envelope), Some(message));
        assert_eq!(Shared::new(&c, &a.public()).open(&envelope), None);
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let (a, b) = (secret(1), secret(2));
        let message = Message::CallMeMaybe { endpoints: vec![] };
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        let mut packet = Shared::new(&a, &b.public()).seal(&a.public(), &message, &mut rng);
        *packet.last_mut().unwrap() ^= 1;
        let envelope = Envelope::parse(&packet).unwrap();
        assert_eq!(Shared::new(&b, &a.public()).open(&envelope), None);
    }
}
