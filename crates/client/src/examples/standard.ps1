# First API call with a Standard key of Cortex. PowerShell 7.
# UNTESTED: no check of this project runs it.
# Settings (the key comes from your secret store, and never stands in a file like this):
#   $env:CORTEXKEY_API_URL = 'https://api-acme.xdr.us.paloaltonetworks.com'
#   $env:CORTEXKEY_API_KEY_ID = '7'
#   $env:CORTEXKEY_API_KEY
$ErrorActionPreference = 'Stop'

$headers = @{
    'x-xdr-auth-id' = $env:CORTEXKEY_API_KEY_ID
    'Authorization' = $env:CORTEXKEY_API_KEY
}
Invoke-RestMethod -Method Post -Uri "$env:CORTEXKEY_API_URL/api_keys/validate/" `
    -Headers $headers -ContentType 'application/json' -Body '{}' `
    -SkipHeaderValidation -MaximumRedirection 0 -TimeoutSec 60
