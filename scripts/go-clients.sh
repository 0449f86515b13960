#!/usr/bin/env bash
# Installs the real Tailscale programs that `make interop` and `make bench` judge us by.
# Prints the folder that holds them; fails loudly when Go is absent or too old.
# usage: scripts/go-clients.sh [PROGRAM...]   default: tailscale tailscaled
set -euo pipefail

version=v1.102.5
bin=${WARREN_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/warren/clients-$version}

programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=(tailscale tailscaled)
missing=()
for program in "${programs[@]}"; do
  [ -x "$bin/$program" ] || missing+=("tailscale.com/cmd/$program@$version")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v go >/dev/null || { echo "Go is absent: real clients cannot be built" >&2; exit 1; }
  have=$(go env GOVERSION | sed 's/^go//')
  [ "$(printf '%s\n1.26.6\n' "$have" | sort -V | head -1)" = 1.26.6 ] ||
    { echo "Go $have is too old: 1.26.6 or newer is needed" >&2; exit 1; }
  mkdir -p "$bin"
  (cd / && GOBIN="$bin" GOFLAGS=-trimpath go install "${missing[@]}") >&2
fi
echo "$bin"
