#!/bin/sh
# apply.sh: brings greylisting's trusted hosts in line through WHM API 1; what is not the gateway's stays.
set -eu
PATH=$PATH:/usr/local/cpanel/bin

call() { # FUNCTION ARGUMENT...
  answer=$(whmapi1 --output=json "$@" | tr -d '[:space:]')
  case $answer in
    *'"ips_failed":{"'*) ;;
    *'"result":1'*) return 0 ;;
  esac
  printf '%s failed: %s\n' "$*" "$answer" >&2
  exit 1
}
call create_cpgreylist_trusted_host ip=108.128.137.108 comment='gateway of acme'
call create_cpgreylist_trusted_host ip=99.80.189.20 comment='gateway of acme'
call create_cpgreylist_trusted_host ip=52.12.169.124 comment='gateway of acme'
call delete_cpgreylist_trusted_host ip=54.227.64.76
echo "greylisting: 3 added, 1 removed"
