#!/usr/bin/env bash
# Real Tailscale clients judge: join, talk, obey an edit, survive a restart, leave.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! clients=$(scripts/go-clients.sh); then
  echo "INTEROP SKIPPED: the real clients cannot be built here (see above)"
  exit 0
fi
[ -d web/dist ] || cargo xtask web --release
cargo build --locked --package server --package agent
bin=$(mktemp -d); trap 'rm -rf "$bin"' EXIT
cp "$CARGO_TARGET_DIR/debug/warren-server" "$CARGO_TARGET_DIR/debug/warren" "$bin/"
WARREN_BIN_DIR=$bin WARREN_CLIENTS=$clients cargo test --locked --package e2e --test interop
