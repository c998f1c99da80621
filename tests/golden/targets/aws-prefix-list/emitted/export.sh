#!/bin/sh
# export.sh >EXPORT: the list's description, and the entries of that version.
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
list=pl-0123456789abcdef0

begin aws-prefix-list
description=$(aws ec2 describe-managed-prefix-lists --prefix-list-ids "$list" --output json)
# the version of this very description: a second call could tell of a later one
version=$(printf '%s\n' "$description" | sed -n 's/.*"Version": *\([0-9][0-9]*\).*/\1/p')
entries=$(aws ec2 get-managed-prefix-list-entries --prefix-list-id "$list" --target-version "$version" --output json)
printf '%s\n' "$description" | section list
printf '%s\n' "$entries" | section entries
echo end
