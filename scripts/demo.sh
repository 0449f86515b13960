#!/usr/bin/env bash
# The lab with a server and three agents behind NATs, until Ctrl-C; then nothing is left.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -d web/dist ] || cargo xtask web --release
cargo build --locked --package server --package agent
cargo build --locked --package e2e --bin warren-lab
bin=$(mktemp -d); trap 'rm -rf "$bin"' EXIT
cp "$CARGO_TARGET_DIR/debug/warren-server" "$CARGO_TARGET_DIR/debug/warren" "$bin/"
# Ctrl-C is for the program; the shell waits and cleans up after it.
trap : INT
WARREN_BIN_DIR=$bin "$CARGO_TARGET_DIR/debug/warren-lab" demo
