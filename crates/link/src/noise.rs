//! The control connection's handshake: `Noise_IK_25519_ChaChaPoly_BLAKE2s`.
//!
//! The initiator knows the server's key beforehand and sends its own,
//! encrypted, in the first message; both payloads are empty. The prologue binds
//! the client's capability version, so nobody on the path can lower it.
//! Sources: the Noise specification, revision 34; `tailscale/control/controlbase`.
//!
//! | message | bytes |
//! |---|---|
//! | initiation (101) | u16 version ‖ 1 ‖ u16 96 ‖ e (32) ‖ sealed s (48) ‖ tag (16) |
//! | response (51) | 2 ‖ u16 48 ‖ e (32) ‖ tag (16) |
//! | refusal | 3 ‖ u16 length ‖ text |

use rand_core::{CryptoRng, RngCore};
use wire::{CapabilityVersion, MachineKey, MachineSecret};

use self::symmetric::Symmetric;

pub mod record;
mod symmetric;

pub use record::{Opener, RecordError, Sealer};

/// Bytes of an initiation.
pub const INITIATION_LEN: usize = 101;
/// Bytes of a response.
pub const RESPONSE_LEN: usize = 51;
/// Bytes of a record's or refusal's header: type and big-endian length.
pub const HEADER_LEN: usize = 3;
/// Bytes of a refusal's text that are sent and read.
pub const MAX_REFUSAL: usize = 1024;

const TYPE_INITIATION: u8 = 1;
const TYPE_RESPONSE: u8 = 2;
const TYPE_REFUSAL: u8 = 3;

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// A message of another size or type than the step takes.
    #[error("the handshake message is malformed")]
    Malformed,
    /// A tag did not verify: another key, another version, or a message changed on its way.
    #[error("the handshake did not verify: wrong server key, or a message was changed")]
    Authentication,
    /// The other side sent a key that gives no secret.
    #[error("the handshake key is not usable")]
    WeakKey,
    /// The server refused, in its own words.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// Both directions of an established connection.
#[derive(Debug)]
pub struct Transport {
    /// What we send.
    pub sealer: Sealer,
    /// What we receive.
    pub opener: Opener,
}

/// The client's side, between its initiation and the response.
#[derive(Debug)]
pub struct Initiator {
    state: Symmetric,
    machine: MachineSecret,
    ephemeral: MachineSecret,
}

impl Initiator {
    /// Starts a handshake with the server that holds `server`; sends the returned bytes.
    pub fn start(
        version: CapabilityVersion,
        machine: &MachineSecret,
        server: &MachineKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(Self, [u8; INITIATION_LEN]), HandshakeError> {
        let ephemeral = ephemeral(rng);
        let mut state = Symmetric::new(version, server);
        let mut out = Vec::with_capacity(INITIATION_LEN);
        out.extend_from_slice(&version.0.to_be_bytes());
        out.extend_from_slice(&[TYPE_INITIATION, 0, 96]);

        state.mix_hash(ephemeral.public().as_bytes());
        out.extend_from_slice(ephemeral.public().as_bytes());
        let mut key = state.mix_dh(&ephemeral, server)?;
        state.seal_and_hash(&mut key, machine.public().as_bytes(), &mut out)?;
        let mut key = state.mix_dh(machine, server)?;
        state.seal_and_hash(&mut key, &[], &mut out)?;

        let message = out.try_into().map_err(|_| HandshakeError::Malformed)?;
        Ok((
            Self {
                state,
                machine: machine.clone(),
                ephemeral,
            },
            message,
        ))
    }

    /// How many bytes of `input` make up the server's answer: `None` until the
    /// header has arrived.
    pub fn response_len(input: &[u8]) -> Option<usize> {
        let (&[_, hi, lo], _) = input.split_first_chunk::<HEADER_LEN>()?;
        Some(HEADER_LEN + usize::from(u16::from_be_bytes([hi, lo])))
    }

    /// Reads the server's answer, [`Self::response_len`] bytes.
    pub fn finish(mut self, response: &[u8]) -> Result<Transport, HandshakeError> {
        let (&[kind, ..], body) = response
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(HandshakeError::Malformed)?;
        if kind == TYPE_REFUSAL {
            let text = body.get(..body.len().min(MAX_REFUSAL)).unwrap_or_default();
            return Err(HandshakeError::Refused(
                String::from_utf8_lossy(text).into_owned(),
            ));
        }
        let (server_ephemeral, tag) = body
            .split_first_chunk::<32>()
            .ok_or(HandshakeError::Malformed)?;
        if kind != TYPE_RESPONSE || response.len() != RESPONSE_LEN {
            return Err(HandshakeError::Malformed);
        }
        let server_ephemeral = MachineKey::from_bytes(*server_ephemeral);
        self.state.mix_hash(server_ephemeral.as_bytes());
        self.state.mix_dh(&self.ephemeral, &server_ephemeral)?;
        let mut key = self.state.mix_dh(&self.machine, &server_ephemeral)?;
        self.state.open_and_hash(&mut key, tag)?;
        let (send, receive) = self.state.split();
        Ok(Transport {
            sealer: Sealer::new(&send),
            opener: Opener::new(&receive),
        })
    }
}

/// What the server learns from an initiation, and its answer.
#[derive(Debug)]
pub struct Accepted {
    /// What the client understands.
    pub version: CapabilityVersion,
    /// The machine that proved to hold its key.
    pub machine: MachineKey,
    /// To be sent before anything else.
    pub response: [u8; RESPONSE_LEN],
    /// The connection.
    pub transport: Transport,
}

/// The version that an initiation claims, before anything is verified.
pub fn claimed_version(initiation: &[u8]) -> Option<CapabilityVersion> {
    initiation
        .first_chunk::<2>()
        .map(|v| CapabilityVersion(u16::from_be_bytes(*v)))
}

/// The server's side: verifies an initiation and answers it.
pub fn accept(
    server: &MachineSecret,
    initiation: &[u8],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Accepted, HandshakeError> {
    let version = claimed_version(initiation).ok_or(HandshakeError::Malformed)?;
    let body = initiation.get(2..).unwrap_or_default();
    let body = body
        .strip_prefix(&[TYPE_INITIATION, 0, 96])
        .ok_or(HandshakeError::Malformed)?;
    if initiation.len() != INITIATION_LEN {
        return Err(HandshakeError::Malformed);
    }
    let (client_ephemeral, rest) = body
        .split_first_chunk::<32>()
        .ok_or(HandshakeError::Malformed)?;
    let (sealed_machine, tag) = rest
        .split_first_chunk::<48>()
        .ok_or(HandshakeError::Malformed)?;

    let mut state = Symmetric::new(version, &server.public());
    let client_ephemeral = MachineKey::from_bytes(*client_ephemeral);
    state.mix_hash(client_ephemeral.as_bytes());
    let mut key = state.mix_dh(server, &client_ephemeral)?;
    let machine = state.open_and_hash(&mut key, sealed_machine)?;
    let machine = <[u8; 32]>::try_from(machine).map_err(|_| HandshakeError::Malformed)?;
    let machine = MachineKey::from_bytes(machine);
    let mut key = state.mix_dh(server, &machine)?;
    state.open_and_hash(&mut key, tag)?;

    let ephemeral = ephemeral(rng);
    let mut out = Vec::with_capacity(RESPONSE_LEN);
    out.extend_from_slice(&[TYPE_RESPONSE, 0, 48]);
    out.extend_from_slice(ephemeral.public().as_bytes());
    state.mix_hash(ephemeral.public().as_bytes());
    state.mix_dh(&ephemeral, &client_ephemeral)?;
    let mut key = state.mix_dh(&ephemeral, &machine)?;
    state.seal_and_hash(&mut key, &[], &mut out)?;
    let (receive, send) = state.split();
    Ok(Accepted {
        version,
        machine,
        response: out.try_into().map_err(|_| HandshakeError::Malformed)?,
        transport: Transport {
            sealer: Sealer::new(&send),
            opener: Opener::new(&receive),
        },
    })
}

/// The message that tells a client, in the clear, why it is refused.
pub fn refusal(text: &str) -> Vec<u8> {
    let text: Vec<u8> = text.bytes().take(MAX_REFUSAL).collect();
    let len = u16::try_from(text.len()).unwrap_or_default();
    let mut out = vec![TYPE_REFUSAL];
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&text);
    out
}

fn ephemeral(rng: &mut (impl RngCore + CryptoRng)) -> MachineSecret {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    MachineSecret::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
