#!/bin/sh
# export-filter.sh [EXIM [OPTION]...] >EXPORT: the filter that Exim runs for every message. Run it as root.
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
[ $# -gt 0 ] || set -- exim

setting=$("$@" -bP system_filter)
filter=$(printf '%s\n' "$setting" | sed -n 's/^system_filter = *//p')
begin exim-system-filter
printf '%s\n' "$filter" | section system_filter
if [ -n "$filter" ] && [ -e "$filter" ]; then
  section filter <"$filter"
fi
echo end
