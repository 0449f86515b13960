#!/usr/bin/env bash
# The released programs and a .deb of each, into dist/, with their SHA-256.
# usage: scripts/dist.sh [--built]   --built: package what is built already
set -euo pipefail
cd "$(dirname "$0")/.."

machine=$(uname -m)
case $machine in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) echo "dist.sh: no release for $machine" >&2; exit 1 ;;
esac
target=$machine-unknown-linux-musl
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
server=${WARREN_DIST_SERVER:-$CARGO_TARGET_DIR/release/warren-server}
agent=${WARREN_DIST_AGENT:-$CARGO_TARGET_DIR/$target/release/warren}

if [ "${1:-}" != --built ]; then
  cargo xtask web --release
  cargo build --release --locked --package agent --target "$target"
  cargo build --release --locked --package server
fi
rm -rf dist
mkdir -p dist
install -m 0755 "$server" "dist/warren-server-linux-$arch"
install -m 0755 "$agent" "dist/warren-linux-$arch"

stage=$(mktemp -d); trap 'rm -rf "$stage"' EXIT
deb() { # NAME FOLDER
  local root=$stage/$1 size
  cp -r "packaging/$2/DEBIAN" "$root/"
  install -d "$root/usr/share/doc/$1"
  install -m 0644 LICENSE "$root/usr/share/doc/$1/copyright"
  size=$(du -ks --exclude=DEBIAN "$root" | cut -f1)
  sed -i "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" "$root/DEBIAN/control"
  find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group --build -Zxz "$root" "dist/${1}_${version}_$arch.deb" >/dev/null
}

root=$stage/warren-server
install -D -m 0755 "$server" "$root/usr/bin/warren-server"
install -D -m 0755 "$agent" "$root/usr/share/warren/warren-linux-$arch"
install -D -m 0644 packaging/warren-server.service "$root/lib/systemd/system/warren-server.service"
install -D -m 0644 packaging/server.toml "$root/etc/warren/server.toml"
install -D -m 0644 docs/configuration.md "$root/usr/share/doc/warren-server/configuration.md"
deb warren-server server

root=$stage/warren
install -D -m 0755 "$agent" "$root/usr/bin/warren"
install -D -m 0644 packaging/warren.service "$root/lib/systemd/system/warren.service"
deb warren agent

(cd dist && sha256sum -- * >SHA256SUMS && ls -l)
