# First API call with an Advanced key of Cortex. PowerShell 7.
# UNTESTED: no check of this project runs it.
# The key comes from your secret store as CORTEXKEY_API_KEY, and never stands in a file like this.
$ErrorActionPreference = 'Stop'

$apiUrl = $env:CORTEXKEY_API_URL
$keyId = $env:CORTEXKEY_API_KEY_ID
if (-not ($apiUrl -and $keyId -and $env:CORTEXKEY_API_KEY)) { throw 'set the variables first' }

# New for every attempt: each request is accepted once.
$alphabet = [char[]]'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
$nonce = -join (1..64 | ForEach-Object {
    $alphabet[[System.Security.Cryptography.RandomNumberGenerator]::GetInt32($alphabet.Length)]
})
$timestampMs = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()
$signed = [System.Text.Encoding]::ASCII.GetBytes("$env:CORTEXKEY_API_KEY$nonce$timestampMs")
$digest = [System.Security.Cryptography.SHA256]::HashData($signed)

$headers = @{
    'x-xdr-auth-id'   = $keyId
    'x-xdr-nonce'     = $nonce
    'x-xdr-timestamp' = "$timestampMs"
    'Authorization'   = [System.Convert]::ToHexString($digest).ToLowerInvariant()
}
Invoke-RestMethod -Method Post -Uri "$apiUrl/api_keys/validate/" `
    -Headers $headers -ContentType 'application/json' -Body '{}' `
    -SkipHeaderValidation -MaximumRedirection 0 -TimeoutSec 60
