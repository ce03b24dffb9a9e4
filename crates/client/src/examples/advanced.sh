#!/usr/bin/env bash
# First API call with an Advanced key of Cortex. Needs curl and sha256sum
# (on macOS: shasum -a 256).
# Settings (the key comes from your secret store, and never stands in a file like this):
#   export CORTEXKEY_API_URL=https://api-acme.xdr.us.paloaltonetworks.com
#   export CORTEXKEY_API_KEY_ID=7
#   export CORTEXKEY_API_KEY
set -euo pipefail

# Fresh for every attempt: a request is good once.
nonce=$(head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c 1-64)
timestamp_ms=$(date +%s)000

# printf is part of the shell, so the key is never an argument of a program.
digest=$(printf '%s' "$CORTEXKEY_API_KEY$nonce$timestamp_ms" | sha256sum | cut -d ' ' -f 1)

printf 'header = "Authorization: %s"\n' "$digest" |
    curl --silent --show-error --config - \
        --header "x-xdr-auth-id: $CORTEXKEY_API_KEY_ID" \
        --header "x-xdr-nonce: $nonce" \
        --header "x-xdr-timestamp: $timestamp_ms" \
        --header "Content-Type: application/json" \
        --data '{}' \
        "$CORTEXKEY_API_URL/api_keys/validate/"
