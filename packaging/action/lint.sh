#!/usr/bin/env bash
# Lints with the action's inputs, which come as variables: nothing in them becomes a part of the script.
set -euo pipefail
arguments=("--fail-on=$FAIL_ON" --format=github "--format=sarif=$SARIF")
if [ -n "$SINCE" ]; then arguments+=("--since=$SINCE"); fi
if [ -n "$BASELINE" ]; then arguments+=("--baseline=$BASELINE"); fi
# A path that begins with a hyphen is still a path.
arguments+=(--)
while IFS= read -r path; do
  if [ -n "$path" ]; then arguments+=("$path"); fi
done <<< "$PATHS"
exec cortexkey lint "${arguments[@]}"
