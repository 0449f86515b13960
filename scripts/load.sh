#!/usr/bin/env bash
# The load driver (Tailscale's own client library) against a release server.
# usage: scripts/load.sh FOLDER_OF_CTLLOAD [NODES...]
set -euo pipefail
cd "$(dirname "$0")/.."
source_dir=${1:?}; shift
nodes=("${@:-300}")

if [ ! -f "$source_dir/main.go" ] || ! command -v go >/dev/null; then
  echo "LOAD TEST SKIPPED: no load driver in '$source_dir' (set CTLLOAD), or no Go"
  exit 0
fi
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cp -r "$source_dir" "$work/ctlload"; chmod -R u+w "$work/ctlload"
(cd "$work/ctlload" && go build -o "$work/driver" .)
cargo build --release --locked --package server

server=0
for n in "${nodes[@]}"; do
  export WARREN_DATA_DIR=$work/data-$n
  "$CARGO_TARGET_DIR/release/warren-server" serve >"$work/log-$n" 2>&1 &
  server=$!
  admin=("$CARGO_TARGET_DIR/release/warren-server")
  # The commands would open the database themselves while no server has it.
  for _ in $(seq 100); do (: </dev/tcp/127.0.0.1/8080) 2>/dev/null && break; sleep 0.1; done
  "${admin[@]}" tenant create load --name Load >/dev/null
  "${admin[@]}" user create --tenant load --email load@example.com --role owner >/dev/null
  key=$("${admin[@]}" auth-key create --tenant load --user load@example.com --reusable --json | sed -n 's/.*"secret": *"\([^"]*\)".*/\1/p')
  "$work/driver" -url http://127.0.0.1:8080 -key "$key" -n "$n" -pid "$server"
  kill "$server"; wait "$server" || true
done
