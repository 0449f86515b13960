//! Any bytes as a relay's input: no panic, every frame read back is the frame
//! written, and trains hold only whole frames of the client that sent them.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use link::relay::{
    frame::Frame,
    train::{self, Inbound},
};
use wire::NodeKey;

fuzz_target!(|input: &[u8]| {
    if let Ok(Some((frame, used))) = Frame::decode(input) {
        assert!(used <= input.len());
        if !matches!(frame, Frame::Unknown(_)) {
            let mut again = Vec::new();
            frame.encode(&mut again);
            let (back, len) = Frame::decode(&again).unwrap().unwrap();
            assert_eq!((format!("{back:?}"), len), (format!("{frame:?}"), again.len()));
        }
    }
    let from = NodeKey::from_bytes([5; 32]);
    let mut rest = BytesMut::from(input);
    while let Ok(Some(inbound)) = train::next(&from, &mut rest) {
        let Inbound::Train { frames, packets, .. } = inbound else {
            continue;
        };
        let (mut at, mut count) = (0, 0);
        while at < frames.len() {
            let (frame, used) = Frame::decode(&frames[at..]).unwrap().unwrap();
            assert!(matches!(frame, Frame::RecvPacket { from: sender, .. } if sender == from));
            at += used;
            count += 1;
        }
        assert_eq!(count, packets);
    }
});
