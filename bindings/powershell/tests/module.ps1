# The module's commands: pwsh -NoProfile -File module.ps1 vectors/auth.json
param([Parameter(Mandatory)] [string] $Vectors)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '../Cortexkey/Cortexkey.psd1') -Force

function Assert-True([string] $What, [bool] $Holds) { if (-not $Holds) { throw "FAILED: $What" } }
function Assert-Fails([string] $What, [scriptblock] $Call) {
    try { & $Call | Out-Null } catch { Assert-True "$What shows no key" ("$_" -notmatch 'kkkk'); return }
    throw "FAILED: $What is accepted"
}
function New-Secure([string] $Text) {
    $secure = New-Object securestring
    foreach ($character in $Text.ToCharArray()) { $secure.AppendChar($character) }
    $secure
}

$answers = (Get-Content -Raw -Encoding utf8 $Vectors | ConvertFrom-Json).signing
foreach ($case in $answers) {
    $level = if ($case.level -eq 'advanced') { 'Advanced' } else { 'Standard' }
    $signer = New-CortexkeySigner -KeyId $case.key_id -Key (New-Secure $case.key) -Level $level
    $headers = if ($level -eq 'Advanced') { $signer.HeadersAt($case.nonce, $case.timestamp_ms) } else { Get-CortexkeyHeader $signer }
    Assert-True $case.name ($headers['Authorization'] -ceq $case.authorization -and $headers['x-xdr-auth-id'] -eq "$($case.key_id)")
    $signer.Dispose()
}
Assert-True 'there are known answers' (@($answers).Count -gt 10)

$env:CORTEXKEY_API_KEY = 'k' * 128
$env:CORTEXKEY_API_KEY_ID = '7'
Assert-Fails 'an environment without a level' { New-CortexkeySigner -FromEnvironment }
$env:CORTEXKEY_API_KEY_TYPE = 'Standard'
Assert-Fails 'a level in capitals' { New-CortexkeySigner -FromEnvironment }
$env:CORTEXKEY_API_KEY_TYPE = 'standard'
$signer = New-CortexkeySigner -FromEnvironment
Assert-True 'a Standard key is sent as it is' ((Get-CortexkeyHeader $signer)['Authorization'] -ceq $env:CORTEXKEY_API_KEY)
foreach ($path in 'https://other.example/', '//other.example/', 'http://api.example/') {
    Assert-Fails "another host: $path" { Invoke-CortexkeyRequest -Signer $signer -Tenant https://api.example -Path $path }
}
Assert-Fails 'a tenant without https' { Invoke-CortexkeyRequest -Signer $signer -Tenant http://api.example -Path / }
Write-Output "$(@($answers).Count) known answers"
