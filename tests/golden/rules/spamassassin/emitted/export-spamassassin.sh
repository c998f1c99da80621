#!/bin/sh
# export-spamassassin.sh [FOLDER] >EXPORT: rules, scores and thresholds of the site's configuration, in SpamAssassin's
# own order. Other lines, which may hold passwords, are left out.
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
folder=${1:-/etc/spamassassin}

words='header|score|describe|required_score|required_hits|trusted_networks|clear_trusted_networks|if|ifplugin|else|endif'

# a rule may be commented out, so the same lines are wanted behind a #
content=$(for file in "$folder"/*.cf; do
  [ -e "$file" ] || continue
  awk -v words="^[[:space:]]*#*[[:space:]]*($words)([[:space:]]|$)" \
    '$0 ~ words || /^[[:space:]]*#+[[:space:]]*rule:\[/' "$file" || exit 1
  echo
done)
begin spamassassin
printf '%s\n' "$content" | section configuration
echo end
