#!/bin/sh
# export.sh [FILE] >EXPORT: the ipset as firewalld keeps it.
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
file=${1:-/etc/firewalld/ipsets/gateway.xml}

begin firewalld
if [ -e "$file" ]; then
  section xml <"$file"
fi
echo end
