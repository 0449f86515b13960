#!/usr/bin/env bash
# Builds the console, the agent and the server, and starts the server.
# usage: scripts/run.sh [ADDRESS]   without ADDRESS: this machine only, plain HTTP on 127.0.0.1
set -euo pipefail
cd "$(dirname "$0")/.."
listen=${1:-}

echo "building the console, the agent and the server (minutes on the first run)"
cargo xtask web --release
cargo build --release --locked --package agent --target x86_64-unknown-linux-musl
cargo build --release --locked --package server

export WARREN_INSTALL__AGENT="$CARGO_TARGET_DIR/x86_64-unknown-linux-musl/release/warren"
export WARREN_DATA_DIR="${WARREN_DATA_DIR:-$PWD/data}"
if [ -n "$listen" ]; then
  export WARREN_HTTP__LISTEN="$listen:443" WARREN_HTTP__PUBLIC_URL="https://$listen"
fi
exec "$CARGO_TARGET_DIR/release/warren-server" serve
