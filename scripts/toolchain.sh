#!/usr/bin/env bash
# Makes sure that Rust (with the targets of rust-toolchain.toml) and Node are there.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v rustup >/dev/null; then
  echo "Rust is missing. Install rustup from https://rustup.rs and run this again." >&2
  exit 1
fi
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
rustup toolchain list | grep -q "^$channel" || rustup toolchain install "$channel" --profile minimal
installed=$(rustup target list --installed --toolchain "$channel")
for target in wasm32-unknown-unknown "$(uname -m)-unknown-linux-musl"; do
  grep -qx "$target" <<<"$installed" || rustup target add --toolchain "$channel" "$target"
done
components=$(rustup component list --installed --toolchain "$channel")
for component in rustfmt clippy; do
  grep -q "^$component" <<<"$components" || rustup component add --toolchain "$channel" "$component"
done

if ! command -v node >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "Node 20 or newer is missing; the console's style sheet and editor are built with it." >&2
  exit 1
fi
