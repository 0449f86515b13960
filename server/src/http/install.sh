#!/bin/sh
# Installs the Warren agent from @URL@.
#
# Needs a POSIX shell and either curl or wget. Arguments are handed to the
# installed `warren`: `sh -s -- up --server @URL@`.
set -eu

url='@URL@'
binary='@BINARY@'
sum='@SHA256@'
pin='@PIN@'
dir=${WARREN_INSTALL_DIR:-/usr/local/bin}

say() { printf '%s\n' "$*" >&2; }
fail() { say "warren: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

fetch() {
    if has curl; then
        if [ -n "$pin" ]; then
            curl -fsSk --pinnedpubkey "$pin" -o "$2" "$1"
        else
            curl -fsSL -o "$2" "$1"
        fi
    elif has wget; then
        if [ -n "$pin" ]; then
            unproved=yes
            wget -q --no-check-certificate -O "$2" "$1"
        else
            wget -q -O "$2" "$1"
        fi
    else
        fail "neither curl nor wget is here; fetch $1 by other means, make it executable and put it into $dir"
    fi
}

digest() {
    if has sha256sum; then sha256sum <"$1"
    elif has shasum; then shasum -a 256 <"$1"
    elif has openssl; then openssl dgst -sha256 -r <"$1"
    elif has busybox; then busybox sha256sum <"$1"
    else return 1
    fi
}

check() {
    if ! found=$(digest "$1"); then
        [ -z "$unproved" ] || fail "no tool here can compute a SHA-256, and wget cannot prove the server: install curl or coreutils"
        say "warren: no tool here can compute a SHA-256; the transport is trusted alone"
        return 0
    fi
    [ "${found%% *}" = "$sum" ] || fail "the file from $binary is not the one this server announced; nothing was installed"
}

as_root() {
    if [ -n "$sudo" ]; then "$sudo" "$@"; else "$@"; fi
}

# The unit of the package.
packaged_unit() {
    cat <<'UNIT'
@UNIT@
UNIT
}

# The same for $dir, which may lie where the unit forbids to look.
unit() {
    packaged_unit | while IFS= read -r line; do
        case $line in
            ExecStart=*) line="ExecStart=$dir/warren daemon" ;;
            ProtectHome=*)
                case $dir in /home/*|/root/*|/run/user/*) line=ProtectHome=read-only ;; esac
                ;;
        esac
        printf '%s\n' "$line"
    done
}

main() {
    unproved=
    if has uname; then
        [ "$(uname -s)" = Linux ] || fail "this server gives an agent for Linux only"
        case "$(uname -m)" in
            @MACHINE@) ;;
            *) fail "this server gives an agent for @ARCH@ only; this machine is $(uname -m)" ;;
        esac
    fi
    sudo=
    mkdir -p "$dir" 2>/dev/null || true
    if ! [ -w "$dir" ]; then
        has sudo || fail "cannot write to $dir: run this as root"
        sudo=sudo
        as_root mkdir -p "$dir"
    fi

    tmp=$(mktemp -d 2>/dev/null) || { tmp=./.warren-install.$$; mkdir "$tmp"; }
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    say "fetching $binary"
    fetch "$binary" "$tmp/warren" || fail "cannot fetch $binary"
    check "$tmp/warren"
    chmod 0755 "$tmp/warren"
    as_root cp "$tmp/warren" "$dir/.warren.new"
    as_root mv "$dir/.warren.new" "$dir/warren"
    say "installed $dir/warren"

    if [ -d /run/systemd/system ]; then
        unit >"$tmp/warren.service"
        as_root cp "$tmp/warren.service" /etc/systemd/system/warren.service
        as_root systemctl daemon-reload
        as_root systemctl enable --quiet warren.service
        as_root systemctl restart warren.service
        say "warren.service runs"
    elif [ $# -gt 0 ]; then
        log=${WARREN_INSTALL_DIR:-/var/log}/warren.log
        as_root sh -c '[ -d "${2%/*}" ] || set -- "$1" /dev/null
            trap "" HUP
            "$1" daemon >>"$2" 2>&1 </dev/null &' sh "$dir/warren" "$log"
        say "no systemd here: the agent runs until the next start of this machine; have its init start: $dir/warren daemon"
    else
        say "no systemd here; start the agent with: $dir/warren daemon &"
    fi

    if [ $# -gt 0 ]; then
        as_root "$dir/warren" "$@"
    else
        say "next: warren up --server $url"
    fi
}

main "$@"
