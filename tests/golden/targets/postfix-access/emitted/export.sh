#!/bin/sh
# export.sh [TABLE] >EXPORT: the table of check_client_access, and the settings that can hurt mail from the gateway.
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
table=${1:-/etc/postfix/gateway_access.cidr}

begin postfix-access
if [ -e "$table" ]; then
  section table <"$table"
fi
settings=$(postconf message_size_limit mynetworks smtpd_client_restrictions smtpd_helo_restrictions \
  smtpd_sender_restrictions smtpd_relay_restrictions smtpd_recipient_restrictions smtpd_client_connection_count_limit \
  smtpd_client_connection_rate_limit smtpd_client_message_rate_limit smtpd_client_recipient_rate_limit \
  smtpd_client_event_limit_exceptions access_map_reject_code soft_bounce)
printf '%s\n' "$settings" | section postconf
echo end
