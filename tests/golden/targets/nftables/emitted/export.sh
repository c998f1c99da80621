#!/bin/sh
# export.sh >EXPORT: the gateway's sets, and the rules that tell whether others are kept out; in JSON.
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

begin nftables
for name in gateway gateway6; do
  listed=$(nft -j list set inet mail "$name")
  printf '%s\n' "$listed" | section "$name"
done
ruleset=$(nft -j -t list ruleset)
printf '%s\n' "$ruleset" | section ruleset
echo end
