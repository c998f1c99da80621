#!/bin/sh
# Puts Exim beside Postfix for the tests: Debian's packages of the two exclude each other, so that Exim is unpacked
# into .venv/servers/exim and not installed. Needs root and apt; the libraries and the user that the binary asks for
# are installed as its package would.
set -eu
cd "$(dirname "$0")/../.."
folder=$PWD/.venv/servers/exim
[ ! -x "$folder/usr/sbin/exim4" ] || exit 0

libraries=$(apt-cache depends exim4-base exim4-daemon-light | awk '$1 == "Depends:" && $2 ~ /^lib/ { print $2 }' | sort -u)
# shellcheck disable=SC2086 # one word for each package
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $libraries >/dev/null
id Debian-exim >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim

download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
(cd "$download" && apt-get -o APT::Sandbox::User=root download -qq exim4-base exim4-daemon-light)
mkdir -p "$folder"
for package in "$download"/*.deb; do
  dpkg -x "$package" "$folder"
done
"$folder/usr/sbin/exim4" -bV -C /dev/null >/dev/null
