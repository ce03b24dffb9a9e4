# First API call with a Standard key of Cortex. PowerShell 7.
# UNTESTED: no check of this project runs it.
# The key comes from your secret store as CORTEXKEY_API_KEY, and never stands in a file like this.
$ErrorActionPreference = 'Stop'

$apiUrl = $env:CORTEXKEY_API_URL
$keyId = $env:CORTEXKEY_API_KEY_ID
if (-not ($apiUrl -and $keyId -and $env:CORTEXKEY_API_KEY)) { throw 'set the variables first' }

$headers = @{
    'x-xdr-auth-id' = $keyId
    'Authorization' = $env:CORTEXKEY_API_KEY
}
Invoke-RestMethod -Method Post -Uri "$apiUrl/api_keys/validate/" `
    -Headers $headers -ContentType 'application/json' -Body '{}' `
    -SkipHeaderValidation -MaximumRedirection 0 -TimeoutSec 60
