use bytes::BytesMut;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;

const VERSION: CapabilityVersion = CapabilityVersion(130);

fn secret(byte: u8) -> MachineSecret {
    MachineSecret::from_bytes([byte; 32])
}

fn connected() -> (Transport, Transport) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (client, server) = (secret(1), secret(2));
    let (initiator, message) =
        Initiator::start(VERSION, &client, &server.public(), &mut rng).unwrap();
    let accepted = accept(&server, &message, &mut rng).unwrap();
    assert_eq!(accepted.version, VERSION);
    assert_eq!(accepted.machine, client.public());
    assert_eq!(
        Initiator::response_len(&accepted.response),
        Some(RESPONSE_LEN)
    );
    (
        initiator.finish(&accepted.response).unwrap(),
        accepted.transport,
    )
}

#[test]
fn both_sides_talk_after_the_handshake() {
    let (mut client, mut server) = connected();
    for round in 0..3_u8 {
        let text = vec![round; 10_000];
        let (mut line, mut got) = (Vec::new(), BytesMut::new());
        client.sealer.seal(&text, &mut line).unwrap();
        server
            .opener
            .open(&mut line.as_slice().into(), &mut got)
            .unwrap();
        assert_eq!(got, text);
        let (mut line, mut got) = (Vec::new(), BytesMut::new());
        server.sealer.seal(b"answer", &mut line).unwrap();
        client
            .opener
            .open(&mut line.as_slice().into(), &mut got)
            .unwrap();
        assert_eq!(&got[..], b"answer");
    }
}

/// What tailscaled 1.102.5 sent to a server whose secret is 32 times 0x42.
const OFFICIAL: &str = "008e01006085371bc424974d9736f387873654076869228cfa1f09be133ba6b25792b9a64903\
    cf71c30ce8cac74f38ced6e1c9dedf49f3f115d98cd8b1dc36c2199254418723919e2af71594\
    857fe8c39af9f9d2c017e0b93c0c5aa1546d5d8fc35c6978bc";

#[test]
fn the_initiation_of_an_official_client_verifies() {
    let byte = |at| u8::from_str_radix(OFFICIAL.get(at..at + 2).unwrap(), 16).unwrap();
    let message: Vec<u8> = (0..OFFICIAL.len()).step_by(2).map(byte).collect();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let accepted = accept(&secret(0x42), &message, &mut rng).unwrap();
    assert_eq!(accepted.version, CapabilityVersion(142));
    let machine = "mkey:dd94cbec4d44e4983fef9391990280f91b7217796f8a8849383e754f16ecf34e";
    assert_eq!(accepted.machine.to_string(), machine);
}

#[test]
fn any_changed_bit_of_an_initiation_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let server = secret(2);
    let (_, message) = Initiator::start(VERSION, &secret(1), &server.public(), &mut rng).unwrap();
    for at in 0..message.len() {
        let mut changed = message;
        changed[at] ^= 1;
        assert!(accept(&server, &changed, &mut rng).is_err(), "byte {at}");
    }
    assert_eq!(
        accept(&secret(3), &message, &mut rng).err(),
        Some(HandshakeError::Authentication)
    );
}

#[test]
fn a_refusal_reaches_the_person_in_words() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (initiator, _) =
        Initiator::start(VERSION, &secret(1), &secret(2).public(), &mut rng).unwrap();
    let message = refusal("too old");
    assert_eq!(Initiator::response_len(&message), Some(message.len()));
    assert_eq!(
        initiator.finish(&message).err(),
        Some(HandshakeError::Refused("too old".into()))
    );
}

#[test]
fn an_all_zero_key_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let outcome = Initiator::start(VERSION, &secret(1), &MachineKey::ZERO, &mut rng);
    assert_eq!(outcome.err(), Some(HandshakeError::WeakKey));
}

#[test]
fn a_replayed_or_changed_record_ends_the_connection() {
    let (mut client, mut server) = connected();
    let (mut line, mut got) = (Vec::new(), BytesMut::new());
    client.sealer.seal(b"pay 1", &mut line).unwrap();
    server
        .opener
        .open(&mut line.as_slice().into(), &mut got)
        .unwrap();
    let again = server.opener.open(&mut line.as_slice().into(), &mut got);
    assert_eq!(again, Err(RecordError::Authentication));
    assert_eq!(
        server
            .opener
            .open(&mut (&[4, 0xff, 0xff][..]).into(), &mut got),
        Err(RecordError::Malformed)
    );
}

#[test]
fn an_empty_record_is_legal() {
    let (mut client, mut server) = connected();
    let mut line = Vec::new();
    client.sealer.seal_one(&[], &mut line).unwrap();
    let mut got = BytesMut::new();
    server
        .opener
        .open(&mut line.as_slice().into(), &mut got)
        .unwrap();
    assert!(got.is_empty());
}

proptest! {
    #[test]
    fn records_survive_any_splitting(
        text in proptest::collection::vec(any::<u8>(), 0..9000),
        cuts in proptest::collection::vec(1_usize..700, 1..40),
    ) {
        let (mut client, mut server) = connected();
        let mut line = Vec::new();
        client.sealer.seal(&text, &mut line).unwrap();
        let (mut input, mut got) = (BytesMut::new(), BytesMut::new());
        let (mut rest, mut cuts) = (line.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            input.extend_from_slice(now);
            server.opener.open(&mut input, &mut got).unwrap();
            rest = later;
        }
        prop_assert_eq!(&got[..], &text[..]);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let _ = accept(&secret(2), &bytes, &mut rng);
        let (initiator, _) =
            Initiator::start(VERSION, &secret(1), &secret(2).public(), &mut rng).unwrap();
        let _ = initiator.finish(&bytes);
    }
}
