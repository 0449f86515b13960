//! Any bytes from a relay: the client's session never panics and never gets
//! ready, since nobody can make up the relay's proof.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use link::relay::client::ClientSession;
use wire::NodeSecret;

fuzz_target!(|parts: Vec<Vec<u8>>| {
    let mut session = ClientSession::new(NodeSecret::from_bytes([3; 32]), [1; 24]);
    let mut input = BytesMut::new();
    for part in parts {
        input.extend_from_slice(&part);
        loop {
            match session.handle_input(&mut input) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(!session.is_ready());
        session.output().clear();
    }
});
