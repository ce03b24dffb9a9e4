# First API call with an Advanced key of Cortex. PowerShell 7.
# UNTESTED: no check of this project runs it.
# Settings (the key comes from your secret store, and never stands in a file like this):
#   $env:CORTEXKEY_API_URL = 'https://api-acme.xdr.us.paloaltonetworks.com'
#   $env:CORTEXKEY_API_KEY_ID = '7'
#   $env:CORTEXKEY_API_KEY
$ErrorActionPreference = 'Stop'

# Fresh for every attempt: a request is good once.
$alphabet = [char[]]'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
$nonce = -join (1..64 | ForEach-Object {
    $alphabet[[System.Security.Cryptography.RandomNumberGenerator]::GetInt32($alphabet.Length)]
})
$timestampMs = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()
$signed = [System.Text.Encoding]::ASCII.GetBytes("$env:CORTEXKEY_API_KEY$nonce$timestampMs")
$digest = [System.Security.Cryptography.SHA256]::HashData($signed)

$headers = @{
    'x-xdr-auth-id'   = $env:CORTEXKEY_API_KEY_ID
    'x-xdr-nonce'     = $nonce
    'x-xdr-timestamp' = "$timestampMs"
    'Authorization'   = [System.Convert]::ToHexString($digest).ToLowerInvariant()
}
Invoke-RestMethod -Method Post -Uri "$env:CORTEXKEY_API_URL/api_keys/validate/" `
    -Headers $headers -ContentType 'application/json' -Body '{}' `
    -SkipHeaderValidation -MaximumRedirection 0 -TimeoutSec 60
