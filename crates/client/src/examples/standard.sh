#!/usr/bin/env bash
# First API call with a Standard key of Cortex. Needs curl.
# The key comes from your secret store as CORTEXKEY_API_KEY, never from a file like this.
set -euo pipefail

API_URL=${CORTEXKEY_API_URL:?set it to what the button Copy API URL gives}
KEY_ID=${CORTEXKEY_API_KEY_ID:?set it to the number in the ID column of the API Keys table}
: "${CORTEXKEY_API_KEY:?set it from your secret store}"

# The header goes to curl's standard input: an argument could be read by every process.
printf 'header = "Authorization: %s"\n' "$CORTEXKEY_API_KEY" |
    curl -q --silent --show-error --config - \
        --header "x-xdr-auth-id: $KEY_ID" \
        --header "Content-Type: application/json" \
        --data '{}' \
        "$API_URL/api_keys/validate/"
