#!/usr/bin/env bash
# cargo-deny: bans, licences and sources always; advisories where their database can be had.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
root=${XDG_CACHE_HOME:-$HOME/.cache}/warren/cargo-deny-$version
deny=$root/bin/cargo-deny
if [ ! -x "$deny" ]; then
  CARGO_TARGET_DIR=$root/target CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install cargo-deny --version "$version" --locked --quiet --root "$root" ||
    { echo "cargo-deny $version cannot be installed" >&2; exit 1; }
  rm -rf "$root/target"
fi
"$deny" --workspace --locked check --hide-inclusion-graph bans licenses sources
said=$(mktemp); trap 'rm -f "$said"' EXIT
if ! "$deny" --workspace --locked check --hide-inclusion-graph advisories 2>"$said"; then
  if grep -qiE 'failed to (fetch|clone)|unable to (fetch|resolve)|could not (fetch|connect|resolve)|advisory database' "$said"; then
    echo "ADVISORIES NOT CHECKED: their database cannot be had from here"
  else
    cat "$said" >&2; exit 1
  fi
fi
