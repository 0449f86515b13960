#!/usr/bin/env bash
# Installs the Debian packages that a task needs, or prints the list when it may not.
# usage: scripts/packages.sh run|test|interop|bench|dist
set -euo pipefail

case "${1:-run}" in
  run) wanted=(build-essential musl-tools pkg-config curl ca-certificates) ;;
  test) wanted=(build-essential musl-tools pkg-config curl ca-certificates iproute2 iputils-ping nftables
    util-linux postgresql chromium chromium-driver libnss3-tools
    busybox-static python3 zstd) ;;
  interop) wanted=(build-essential musl-tools iproute2 iputils-ping nftables util-linux curl python3 openssh-client) ;;
  bench) wanted=(build-essential musl-tools iproute2 iputils-ping nftables util-linux iperf3 python3
    chromium chromium-driver libnss3-tools) ;;
  dist) wanted=(build-essential musl-tools dpkg) ;;
  *) echo "packages.sh: unknown task '$1'; the tasks are run, test, interop, bench, dist" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then as_root=(); elif sudo -n true 2>/dev/null; then as_root=(sudo -n); else
  echo "These Debian packages are missing and this user may not install them. As root, run:" >&2
  echo "  apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
