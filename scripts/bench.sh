#!/usr/bin/env bash
# Measures our agent against tailscaled, and writes docs/performance.md.
# usage: scripts/bench.sh FOLDER_OF_CTLLOAD
# A quick look: BENCH_PAIRS=1 BENCH_SECONDS=5 make bench
# BENCH_ONLY=relayed measures the way through the relay alone, and writes no report.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! clients=$(scripts/go-clients.sh tailscale tailscaled derper); then
  echo "BENCH SKIPPED: the programs to compare with cannot be built here (see above)"
  exit 0
fi
cargo xtask web --release
cargo build --release --locked --package server --package agent
cargo build --locked --package e2e --bin warren-lab
bin=$(mktemp -d); trap 'rm -rf "$bin"' EXIT
cp "$CARGO_TARGET_DIR/release/warren-server" "$CARGO_TARGET_DIR/release/warren" "$bin/"

scripts/load.sh "${1:?}" 50 300 | tee "$bin/load.log"
grep '^{' "$bin/load.log" >"$bin/load.json" || true
[ ! -s "$bin/load.json" ] || export BENCH_LOAD=$bin/load.json
WARREN_BIN_DIR=$bin WARREN_CLIENTS=$clients "$CARGO_TARGET_DIR/debug/warren-lab" bench
