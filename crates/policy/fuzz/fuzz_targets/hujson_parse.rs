//! Any bytes: no panic, and every span lies inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (_, found) = policy::parse(text);
    for d in found {
        assert!(d.span.start <= d.span.end && d.span.end <= text.len());
        let _ = d.to_api(text);
    }
});
