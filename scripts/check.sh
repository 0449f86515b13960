#!/usr/bin/env bash
# Format, lints as errors, layering, dependency rules.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --exclude web --all-targets --locked -- -D warnings
cargo clippy -p web --lib --locked --target wasm32-unknown-unknown -- -D warnings
cargo test -p e2e --test layering --locked --quiet
scripts/deny.sh
