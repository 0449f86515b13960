#!/usr/bin/env bash
# Installs the real Tailscale clients that `make interop` and `make bench` judge us by.
# Prints the folder that holds them; fails loudly when Go is absent or too old.
set -euo pipefail

version=v1.102.5
bin=${WARREN_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/warren/clients-$version}

if [ ! -x "$bin/tailscaled" ] || [ ! -x "$bin/tailscale" ]; then
  command -v go >/dev/null || { echo "Go is absent: real clients cannot be built" >&2; exit 1; }
  have=$(go env GOVERSION | sed 's/^go//')
  [ "$(printf '%s\n1.26.6\n' "$have" | sort -V | head -1)" = 1.26.6 ] ||
    { echo "Go $have is too old: 1.26.6 or newer is needed" >&2; exit 1; }
  mkdir -p "$bin"
  (cd / && GOBIN="$bin" GOFLAGS=-trimpath go install "tailscale.com/cmd/tailscale@$version" "tailscale.com/cmd/tailscaled@$version") >&2
fi
echo "$bin"
