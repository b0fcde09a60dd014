# SPDX-License-Identifier: MIT
# Sourced by the checks of this folder: TAP from bash.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

results=0
# claim TEXT COMMAND...: COMMAND's success is the test; what it prints explains a failure
claim() {
	local text=$1 why
	shift
	results=$((results + 1))
	if why=$("$@" 2>&1); then
		echo "ok $results - $text"
	else
		echo "not ok $results - $text"
		printf '%s\n' "$why" | head -n 30 | sed 's/^/# /'
	fi
}
skip() {
	results=$((results + 1))
	echo "ok $results - $1 # SKIP $2"
}
finish() { echo "1..$results"; }

# tracked [PATTERN...]: the project's files, also where a release tarball has no git
tracked() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r f; do [ ! -f "$f" ] || echo "$f"; done
	elif [ $# -eq 0 ]; then
		find . -path ./build -prune -o -type f -print | sed 's|^\./||'
	else
		local pattern
		for pattern; do find . -path ./build -prune -o -type f -name "${pattern##*/}" -print | sed 's|^\./||'; done
	fi
}

# none: succeeds if standard input is empty, else shows it
none() {
	local found
	found=$(cat)
	[ -z "$found" ] || { printf '%s\n' "$found"; return 1; }
}
