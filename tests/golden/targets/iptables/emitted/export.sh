#!/bin/sh
# export.sh >EXPORT: the rules of the table filter.
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

begin iptables
saved=$(iptables-save -t filter)
printf '%s\n' "$saved" | section filter
echo end
