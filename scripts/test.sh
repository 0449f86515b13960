#!/usr/bin/env bash
# Everything that must pass. The programs are built in a call of their own, so
# that features of the tests' dependencies never reach them.
set -euo pipefail
cd "$(dirname "$0")/.."
share() { printf '\n== %s (%ss so far)\n' "$1" "$SECONDS"; }

share "console"
cargo xtask web --release
share "programs"
cargo build --locked --package server --package agent
static=$(uname -m)-unknown-linux-musl
cargo build --locked --package agent --target "$static"
bin=$(mktemp -d); trap 'rm -rf "$bin"' EXIT
cp "$CARGO_TARGET_DIR/debug/warren-server" "$CARGO_TARGET_DIR/debug/warren" "$bin/"
cp "$CARGO_TARGET_DIR/$static/debug/warren" "$bin/warren-static"
export WARREN_BIN_DIR=$bin

share "mesh (its tests use boringtun's virtual clock)"
cargo test --locked --package mesh
share "packages"
if pebble=$(scripts/pebble.sh); then
  export PEBBLE=$pebble
else
  echo "PASSED OVER: certificates by ACME are not tested, because Pebble cannot be had (it needs Go)"
fi
cargo test --locked --workspace --exclude mesh --exclude web --exclude e2e
cargo test --locked --package web --lib
share "the product in a network lab"
cargo test --locked --package e2e --lib --test layering --test lab
share "done"
