//! Records: the same plain text comes out however the bytes are split, and changed bytes never come out.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use link::noise::{Initiator, Transport, accept};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wire::{CapabilityVersion, MachineSecret};

fn pair() -> (Transport, Transport) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let server = MachineSecret::from_bytes([7; 32]);
    let client = MachineSecret::from_bytes([9; 32]);
    let (waiting, message) = Initiator::start(
        CapabilityVersion::MINIMUM,
        &client,
        &server.public(),
        &mut rng,
    )
    .unwrap();
    let accepted = accept(&server, &message, &mut rng).unwrap();
    (waiting.finish(&accepted.response).unwrap(), accepted.transport)
}

fuzz_target!(|input: (Vec<u8>, Vec<u8>, Option<(u16, u8)>)| {
    let (plain, splits, change) = input;
    let (mut from, mut to) = pair();
    let mut sealed = Vec::new();
    from.sealer.seal(&plain, &mut sealed).unwrap();
    let mut changed = false;
    if let Some((at, by)) = change
        && let Some(byte) = sealed.get_mut(usize::from(at))
    {
        *byte ^= by;
        changed = by != 0;
    }
    let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
    let mut rest = sealed.as_slice();
    for len in splits.iter().map(|n| usize::from(*n)).chain([usize::MAX]) {
        let (now, later) = rest.split_at(len.min(rest.len()));
        input.extend_from_slice(now);
        rest = later;
        if to.opener.open(&mut input, &mut out).is_err() {
            assert!(changed);
            break;
        }
    }
    assert!(plain.starts_with(&out));
    if !changed {
        assert_eq!(out, plain);
    }
});
