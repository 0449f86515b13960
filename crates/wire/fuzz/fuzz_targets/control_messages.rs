//! Any text as a control message: no panic, and what was read survives writing and reading.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use wire::control::{
    map::{MapRequest, MapResponse},
    register::{RegisterRequest, RegisterResponse},
};

fn survives<T: Serialize + DeserializeOwned>(text: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(text) else {
        return;
    };
    let written = serde_json::to_value(&message).unwrap();
    let back: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), written);
}

fuzz_target!(|text: &[u8]| {
    survives::<MapRequest>(text);
    survives::<MapResponse>(text);
    survives::<RegisterRequest>(text);
    survives::<RegisterResponse>(text);
});
