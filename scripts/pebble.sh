#!/usr/bin/env bash
# Installs Pebble, the ACME server that the tests of certificates talk to, and
# prints its path; fails loudly when Go is absent.
set -euo pipefail

version=v2.10.1
bin=${XDG_CACHE_HOME:-$HOME/.cache}/warren/pebble-$version
if [ ! -x "$bin/pebble" ]; then
  command -v go >/dev/null || { echo "Go is absent: Pebble cannot be built" >&2; exit 1; }
  mkdir -p "$bin"
  (cd / && GOBIN="$bin" GOFLAGS=-trimpath go install "github.com/letsencrypt/pebble/v2/cmd/pebble@$version") >&2
fi
echo "$bin/pebble"
