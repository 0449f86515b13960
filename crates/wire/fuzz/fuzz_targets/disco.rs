//! Any bytes as a path-discovery packet or message: no panic, and what was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::disco::{Envelope, Message};

fuzz_target!(|input: &[u8]| {
    if let Some(envelope) = Envelope::parse(input) {
        assert!(Envelope::looks_like(input));
        let mut again = Vec::new();
        Envelope::encode_header(&envelope.sender, &envelope.nonce, &mut again);
        again.extend_from_slice(envelope.sealed);
        assert_eq!(again, input);
    }
    if let Some(message) = Message::parse(input)
        && !matches!(message, Message::Unknown(_))
    {
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(Message::parse(&again), Some(message));
    }
});
