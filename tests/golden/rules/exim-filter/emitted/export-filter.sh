#!/bin/sh
# export-filter.sh [FILE] >EXPORT: one recipient's filter.
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
filter=${1:-$HOME/.forward}

begin exim-filter
if [ -e "$filter" ]; then
  section filter <"$filter"
fi
echo end
