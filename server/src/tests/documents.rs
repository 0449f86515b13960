//! Documents that are written by the code they tell of. A stale one fails; `make accept` renews it.

mod configuration;
mod logging;
mod problems;

use std::path::Path;

/// Holds `docs/NAME` against what the code says.
fn hold(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if accepts() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/{name} is stale: `make accept` renews it"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the person who accepts says so by the environment"
)]
fn accepts() -> bool {
    std::env::var("WARREN_ACCEPT").is_ok()
}
