#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# deps.sh PACKAGE...: install those Debian packages that are not there yet (`make deps`).
# Needs nothing but a shell and dpkg: it runs before anything else is installed.
set -u

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "make deps: no apt-get here (it knows Debian only); these packages are needed: $*" >&2
	exit 1
fi

missing=
for p in "$@"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		as_root='sudo'
	else
		echo "make deps: only root may install packages, and sudo is not to be had here;" \
			"as root, run: apt-get install$missing" >&2
		exit 1
	fi
fi

log=${BUILD:-build}/deps.log
mkdir -p "${log%/*}" && : >"$log" || exit 1
apt() {
	# shellcheck disable=SC2086
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1
}
# the log's own words for what went wrong
give_up() {
	grep -E '^(E|W|Err):' "$log" | tail -n 5 >&2
	echo "make deps: $1 (see $log)" >&2
	exit 1
}

echo "make deps: installing$missing (${as_root:+sudo }apt-get install --no-install-recommends)"
# A fresh machine has no package lists, or old ones: then the dry run or the download fails.
# shellcheck disable=SC2086
if ! apt -s install --no-install-recommends $missing ||
   ! apt install --no-install-recommends $missing; then
	echo "make deps: fetching the package lists (apt-get update)"
	: >"$log"       # what failed for want of lists is no news
	apt update || give_up "apt-get update failed"
	# shellcheck disable=SC2086
	apt install --no-install-recommends $missing || give_up "apt-get install failed"
fi
echo "make deps: done"
