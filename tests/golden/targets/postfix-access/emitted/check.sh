#!/bin/sh
# check.sh [TABLE]: Postfix itself answers for every gateway address, and for an outsider; fails where an answer is wrong.
set -eu
table=${1:-gateway_access.cidr}
warnings=$(mktemp)
trap 'rm -f "$warnings"' EXIT

ask() { # ADDRESS: sets `answer`; Postfix only warns about a line that it cannot use, so any warning is an error
  answer=$(postmap -q "$1" "cidr:$table" 2>"$warnings") || [ $? -eq 1 ] || echo "postmap failed" >>"$warnings"
  if [ -s "$warnings" ]; then
    cat "$warnings" >&2
    exit 1
  fi
}

fail() { # ADDRESS EXPECTED
  printf '%s: %s is answered with "%s", not with %s\n' "$table" "$1" "$answer" "$2" >&2
  exit 1
}

for address in 99.81.216.78 34.249.190.60 108.128.137.108 99.80.189.20 52.12.169.124; do
  ask "$address"
  [ "$answer" = OK ] || fail "$address" OK
done

for outsider in 192.0.2.1 2001:db8::1; do # of the blocks for documentation (RFC 5737, RFC 3849)
  ask "$outsider"
  case $answer in
    450\ 4.7.1\ *) ;;
    *) fail "$outsider" "a deferral" ;;
  esac
done
echo "$table: in order"
