#!/bin/sh
# export.sh [FILE] >EXPORT: /etc/trustedmailhosts, Exim's limits, and the domains that cPanel delivers elsewhere.
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
hosts=${1:-/etc/trustedmailhosts}

begin cpanel-trustedmailhosts
if [ -e "$hosts" ]; then
  section hosts <"$hosts"
fi
exim=${EXIM:-$(command -v exim4 || command -v exim)}
settings=$("$exim" -bP message_size_limit smtp_accept_max_per_host smtp_ratelimit_hosts)
printf '%s\n' "$settings" | section settings
if [ -e /etc/remotedomains ]; then
  section remotedomains </etc/remotedomains
fi
echo end
