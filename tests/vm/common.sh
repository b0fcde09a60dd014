# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: where things are kept, and how they speak.

CACHE=${TLSHD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tlshd}
NAME=${0##*/}
VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(cd "$VM_DIR/../.." && pwd)

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND PACKAGE...: pairs; one message names all that is missing
need() {
	local missing=
	while [ $# -gt 0 ]; do
		command -v "$1" >/dev/null || missing="$missing $2"
		shift 2
	done
	[ -z "$missing" ] || die "missing packages:$missing (make deps installs them)"
}

# lock NAME: one at a time for this cache; held until the script ends
lock() {
	mkdir -p "$CACHE"
	exec 8>>"$CACHE/$1.lock"
	flock -n 8 && return
	say "waiting for another $1 to finish"
	flock 8
}
