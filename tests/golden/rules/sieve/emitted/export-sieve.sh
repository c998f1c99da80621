#!/bin/sh
# export-sieve.sh [SCRIPT [DOVECOT_CONF]] >EXPORT: the script, and what Dovecot runs before the users' own scripts.
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
script=${1:-/etc/dovecot/sieve-before/gateway-spam.sieve}
conf=${2:-/etc/dovecot/dovecot.conf}

settings=$(doveconf -n -c "$conf")
begin sieve
printf '%s\n' "$script" | section path
# sieve_before, sieve_before2, ... of Dovecot 2.3; sieve_script NAME { path = ..., type = before } of 2.4
printf '%s\n' "$settings" | awk '
  $1 ~ /^(plugin\/)?sieve_before[0-9]*$/ && $2 == "=" { sub(/^[^=]*= */, ""); print }
  $1 == "sieve_script" { within = 1; path = ""; type = "" }
  within && $1 == "path" { sub(/^[^=]*= */, ""); path = $0 }
  within && $1 == "type" { type = $3 }
  within && $1 == "}" { if (type == "before" && path != "") print path; within = 0 }' | section sieve_before
if [ -e "$script" ]; then
  section script <"$script"
fi
echo end
