#!/usr/bin/env bash
# First API call with a Standard key of Cortex. Needs curl.
# Settings (the key comes from your secret store, and never stands in a file like this):
#   export CORTEXKEY_API_URL=https://api-acme.xdr.us.paloaltonetworks.com
#   export CORTEXKEY_API_KEY_ID=7
#   export CORTEXKEY_API_KEY
set -euo pipefail

# The header goes to curl's standard input: an argument could be read by every process.
printf 'header = "Authorization: %s"\n' "$CORTEXKEY_API_KEY" |
    curl --silent --show-error --config - \
        --header "x-xdr-auth-id: $CORTEXKEY_API_KEY_ID" \
        --header "Content-Type: application/json" \
        --data '{}' \
        "$CORTEXKEY_API_URL/api_keys/validate/"
