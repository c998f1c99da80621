#!/bin/sh
# apply.sh [FILE]: brings /etc/csf/csf.allow in line, line by line; what is not the gateway's stays. Then run csf -r.
set -eu
file=${1:-/etc/csf/csf.allow}
prefix='tcp|in|d=25|s='
line_of() { # ADDRESS
  printf '%s%s # gateway\n' "$prefix" "$1"
}

new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
[ -e "$file" ] || : >"$file"
cp -p "$file" "$new"

# what a line is for: without its comment, its quotes and its prefix
awk -v prefix="$prefix" -v gone=' 54.227.64.76 ' '
  { line = $0; sub(/#.*/, "", line); gsub(/[" \t\r]/, "", line) }
  index(line, prefix) == 1 { line = substr(line, length(prefix) + 1) }
  line == "" || !index(gone, " " line " ") { print }
' <"$file" >"$new"

add() { # ADDRESS
  awk -v wanted="$prefix$1" '
    { line = $0; sub(/#.*/, "", line); gsub(/[" \t\r]/, "", line) }
    line == wanted { found = 1 }
    END { exit !found }
  ' <"$new" || line_of "$1" >>"$new"
}
add 108.128.137.108
add 99.80.189.20
add 52.12.169.124

if cmp -s "$file" "$new"; then
  echo "$file: nothing to change"
  exit 0
fi
cp -p "$file" "$file.before"
mv "$new" "$file"
echo "$file: changed; the file as it was is $file.before"
