#!/bin/sh
# export.sh [FOLDER] >EXPORT: csf.allow, the files that it includes, and the settings for port 25.
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
folder=${1:-/etc/csf}

begin csf
section /etc/csf/csf.allow <"$folder/csf.allow"
awk '$1 == "Include" { print $2 }' <"$folder/csf.allow" | sort -u | while read -r included; do
  if [ -e "$included" ]; then
    section "$included" <"$included"
  else
    section "$included" </dev/null
  fi
done
settings=$(awk '/^(TCP_IN|TCP6_IN|CONNLIMIT|PORTFLOOD) *=/' <"$folder/csf.conf")
printf '%s\n' "$settings" | section csf.conf
echo end
