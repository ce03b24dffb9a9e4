#!/usr/bin/env bash
# First API call with an Advanced key of Cortex. Needs curl and sha256sum
# (on macOS: shasum -a 256).
# The key comes from your secret store as CORTEXKEY_API_KEY, never from a file like this.
set -euo pipefail

API_URL=${CORTEXKEY_API_URL:?set it to what the button Copy API URL gives}
KEY_ID=${CORTEXKEY_API_KEY_ID:?set it to the number in the ID column of the API Keys table}
: "${CORTEXKEY_API_KEY:?set it from your secret store}"

# New for every attempt: each request is accepted once.
nonce=$(head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c 1-64)
timestamp_ms=$(date +%s)000

# printf is part of the shell, so the key is never an argument of a program.
digest=$(printf '%s' "$CORTEXKEY_API_KEY$nonce$timestamp_ms" | sha256sum | cut -d ' ' -f 1)

printf 'header = "Authorization: %s"\n' "$digest" |
    curl -q --silent --show-error --config - \
        --header "x-xdr-auth-id: $KEY_ID" \
        --header "x-xdr-nonce: $nonce" \
        --header "x-xdr-timestamp: $timestamp_ms" \
        --header "Content-Type: application/json" \
        --data '{}' \
        "$API_URL/api_keys/validate/"
