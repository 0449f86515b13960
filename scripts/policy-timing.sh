#!/usr/bin/env bash
# Times the policy engine on a large tenant: native, and as WebAssembly under
# Node and in Chromium (where there is one), by the same code.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}/policy-timing
crate=crates/policy/timing/Cargo.toml
CARGO_TARGET_DIR=$target ${CARGO:-cargo} build --manifest-path "$crate" --release
CARGO_TARGET_DIR=$target ${CARGO:-cargo} build --manifest-path "$crate" --lib --profile wasm-release \
  --target wasm32-unknown-unknown
[ "${1:-}" != build ] || exit 0
wasm=$target/wasm32-unknown-unknown/wasm-release/policy_timing.wasm
columns=$(mktemp -d); trap 'rm -rf "$columns"' EXIT
"$target/release/policy-timing" >"$columns/1-native"
node scripts/policy-timing.mjs "$wasm" >"$columns/2-node"
if browser=$(command -v chromium); then
  node scripts/policy-timing.mjs "$wasm" "$browser" >"$columns/3-chromium"
fi
cd "$columns"
paste ./* | awk -F'\t' '
  BEGIN { print "| task | native, ms | Node, ms | Chromium, ms | slowest to native |\n|---|---|---|---|---|" }
  { slow = $4 > $6 ? $4 : $6; printf "| %s | %s | %s | %s | %.2f |\n", $1, $2, $4, ($6 == "" ? "–" : $6), slow / ($2 > 0 ? $2 : 0.0001) }'
