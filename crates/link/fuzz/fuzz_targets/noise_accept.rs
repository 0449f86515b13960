//! Any bytes as a handshake's first message: no panic, and nobody gets in without a key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use link::noise::{Initiator, accept};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wire::{CapabilityVersion, MachineSecret};

fuzz_target!(|input: &[u8]| {
    let server = MachineSecret::from_bytes([7; 32]);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    assert!(accept(&server, input, &mut rng).is_err(), "bytes made up a proof");

    // A real initiation with these bytes laid over it is accepted only when nothing changed.
    let client = MachineSecret::from_bytes([9; 32]);
    let (waiting, message) = Initiator::start(
        CapabilityVersion::MINIMUM,
        &client,
        &server.public(),
        &mut rng,
    )
    .unwrap();
    let mut bent = message;
    for (byte, change) in bent.iter_mut().zip(input) {
        *byte ^= change;
    }
    assert_eq!(accept(&server, &bent, &mut rng).is_ok(), bent == message);
    let _ = Initiator::response_len(input);
    let _ = waiting.finish(input);
});
