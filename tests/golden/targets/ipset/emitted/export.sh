#!/bin/sh
# export.sh >EXPORT: the gateway's sets, and the rules that tell whether others are kept out.
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

begin ipset
saved=$(ipset save gateway)
printf '%s\n' "$saved" | section save
for family in iptables ip6tables; do
  if command -v "$family-save" >/dev/null; then
    rules=$("$family-save" -t filter)
    printf '%s\n' "$rules" | section "$family"
  fi
done
echo end
