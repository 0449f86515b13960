#!/usr/bin/env bash
# Builds the console, the agent and the server, and starts the server with SQLite in ./data.
# usage: scripts/run.sh [ADDRESS[:PORT]]
#   without ADDRESS: this machine only, plain HTTP on 127.0.0.1:8080, the relay on TLS port 8443
#   with ADDRESS, a name or an IP of this machine: for other machines too, all over TLS
set -euo pipefail
cd "$(dirname "$0")/.."
where=${1:-}

if [ -n "$where" ]; then
  case $where in
    *://* | */*) echo "LISTEN is an address or a name of this machine, like 192.0.2.10 or warren.example.com, not a URL" >&2; exit 2 ;;
    \[*\]:*) host=${where%:*} port=${where##*:} ;;
    \[*\]) host=$where port= ;;
    *:*:*) host="[$where]" port= ;;
    *:*) host=${where%:*} port=${where##*:} ;;
    *) host=$where port= ;;
  esac
  case $host in
    0.0.0.0 | '[::]') echo "LISTEN must be what other machines connect to: an address or a name of this machine, not $host" >&2; exit 2 ;;
  esac
  scheme=https
  case $host in
    127.* | '[::1]') scheme=http port=${port:-8080} ;; # this machine alone: plain HTTP
  esac
  if [ -z "$port" ]; then
    first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
    if [ "$(id -u)" -eq 0 ] || [ "$first" -le 443 ]; then port=443; else
      port=8443
      echo "port 443 is for root; port 8443 is used"
    fi
  fi
  if [ "$port" = 443 ]; then url=$scheme://$host; else url=$scheme://$host:$port; fi
  case $host in
    \[*\] | *[0-9].*[0-9].*[0-9].*[0-9]) bind=$host ;;
    *) bind=0.0.0.0 ;;
  esac
  export WARREN_HTTP__LISTEN="$bind:$port" WARREN_HTTP__PUBLIC_URL="$url"
fi

echo "building the console, the agent and the server (minutes on the first run)"
static=$(uname -m)-unknown-linux-musl
cargo xtask web --release
cargo build --release --locked --package agent --target "$static"
cargo build --release --locked --package server

export WARREN_INSTALL__AGENT="${WARREN_INSTALL__AGENT:-$CARGO_TARGET_DIR/$static/release/warren}"
export WARREN_DATA_DIR="${WARREN_DATA_DIR:-$PWD/data}"
exec "$CARGO_TARGET_DIR/release/warren-server" serve
