#!/bin/sh
# apply.sh: makes modify.json's changes. AWS refuses them where the list is of another version by now: export it again.
set -eu
version=7
aws ec2 modify-managed-prefix-list --cli-input-json "file://$(dirname "$0")/modify.json" --current-version "$version"
