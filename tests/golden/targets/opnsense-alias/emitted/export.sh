#!/bin/sh
# export.sh >EXPORT: the alias as the firewall has it loaded.
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

begin opnsense-alias
addresses=$(pfctl -t gateway -T show)
printf '%s\n' "$addresses" | section addresses
echo end
