#!/bin/sh
# export.sh >EXPORT: greylisting's trusted hosts, and the domains that cPanel delivers elsewhere.
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
PATH=$PATH:/usr/local/cpanel/bin

begin cpanel-greylist
answer=$(whmapi1 --output=json read_cpgreylist_trusted_hosts)
printf '%s\n' "$answer" | section answer
if [ -e /etc/remotedomains ]; then
  section remotedomains </etc/remotedomains
fi
echo end
