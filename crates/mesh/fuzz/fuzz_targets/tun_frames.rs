//! Any frame from the TUN: cutting it never panics, and every packet cut is one that can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh::{offload::split, packet::Packet};

fuzz_target!(|input: &[u8]| {
    let _ = Packet::parse(input);
    let _ = Packet::parse_quoted(input);
    let mut frame = input.to_vec();
    let Ok(mut segments) = split(&mut frame) else {
        return;
    };
    let was_packet = segments.packet().is_ok();
    let longest = segments.longest();
    let mut count = 0;
    while let Some(segment) = segments.next_segment() {
        assert!(segment.len() <= longest);
        if was_packet {
            assert!(Packet::parse(segment).is_ok());
        }
        count += 1;
        assert!(count <= 65_536, "a frame has no end");
    }
});
