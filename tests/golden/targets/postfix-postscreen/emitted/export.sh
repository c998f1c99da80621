#!/bin/sh
# export.sh [TABLE] >EXPORT: the table of postscreen_access_list.
set -eu
LC_ALL=C
export LC_ALL

section() { # NAME: standard input becomes a section
  printf '[%s]\n' "$1"
  awk '{ print "| " $0 }'
}

begin() { # TARGET
  printf 'reconciler-export 1 %s %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}
table=${1:-/etc/postfix/postscreen_access.cidr}

begin postfix-postscreen
if [ -e "$table" ]; then
  section table <"$table"
fi
echo end
