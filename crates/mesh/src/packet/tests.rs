use proptest::prelude::*;

use super::*;

proptest! {
    /// Whatever comes: an answer, and views inside the bytes.
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..16) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = version << 4 | *first & 0x0f;
        }
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.payload().len() <= bytes.len());
            if let Upper::Icmp(Icmp::Error) = packet.upper() {
                let _ = Icmp::quoted(packet.payload());
            }
        }
    }
}
