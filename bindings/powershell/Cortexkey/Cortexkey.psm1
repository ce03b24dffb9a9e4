# Signs requests to Palo Alto Networks Cortex APIs. `Signer.cs` has the signer; this file has the commands.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if (-not ('Cortexkey.Signer' -as [type])) {
    Add-Type -Path (Join-Path $PSScriptRoot 'Signer.cs')
}

<#
.SYNOPSIS
Creates a signer for one API key.
.DESCRIPTION
The key is a secure string, so that it is not in the history: Read-Host -AsSecureString, or Get-Secret of a vault.
With -FromEnvironment it is read from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE.
.EXAMPLE
$signer = New-CortexkeySigner -KeyId 7 -Key (Read-Host -AsSecureString) -Level Advanced
#>
function New-CortexkeySigner {
    [CmdletBinding(DefaultParameterSetName = 'Key')]
    [OutputType('Cortexkey.Signer')]
    param(
        [Parameter(Mandatory, ParameterSetName = 'Key')] [uint64] $KeyId,
        [Parameter(Mandatory, ParameterSetName = 'Key')] [securestring] $Key,
        [Parameter(ParameterSetName = 'Key')] [ValidateSet('Standard', 'Advanced')] [string] $Level = 'Advanced',
        [Parameter(Mandatory, ParameterSetName = 'Environment')] [switch] $FromEnvironment
    )
    if ($FromEnvironment) {
        foreach ($name in 'CORTEXKEY_API_KEY', 'CORTEXKEY_API_KEY_ID', 'CORTEXKEY_API_KEY_TYPE') {
            if (-not [Environment]::GetEnvironmentVariable($name)) { throw "not set: $name" }
        }
        if ($env:CORTEXKEY_API_KEY_ID -notmatch '\A[0-9]{1,20}\z') { throw 'CORTEXKEY_API_KEY_ID is not a number' }
        $Level = switch -CaseSensitive ($env:CORTEXKEY_API_KEY_TYPE) {
            'standard' { 'Standard' }
            'advanced' { 'Advanced' }
            default { throw 'CORTEXKEY_API_KEY_TYPE is neither standard nor advanced' }
        }
        $KeyId = [uint64]::Parse($env:CORTEXKEY_API_KEY_ID)
        $Key = New-Object securestring
        foreach ($character in $env:CORTEXKEY_API_KEY.ToCharArray()) { $Key.AppendChar($character) }
    }
    New-Object Cortexkey.Signer $KeyId, $Key, ([Cortexkey.Level] $Level)
}

<#
.SYNOPSIS
Returns new headers for one attempt of a request.
.DESCRIPTION
Call it for each attempt, retries included: a tenant refuses headers that come a second time.
.EXAMPLE
Invoke-RestMethod https://api-TENANT/api_keys/validate/ -Method Post -Body '{}' -Headers (Get-CortexkeyHeader $signer)
#>
function Get-CortexkeyHeader {
    [CmdletBinding()]
    [OutputType('System.Collections.Generic.Dictionary[string,string]')]
    param([Parameter(Mandatory, Position = 0)] [Cortexkey.Signer] $Signer)
    $Signer.Headers()
}

<#
.SYNOPSIS
Signs and sends one call to a tenant.
.DESCRIPTION
The path stays within the tenant, no redirect is followed, and nothing is sent without https, except to this machine.
.EXAMPLE
Invoke-CortexkeyRequest -Signer $signer -Tenant https://api-TENANT -Path /api_keys/validate/ -Body @{}
#>
function Invoke-CortexkeyRequest {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)] [Cortexkey.Signer] $Signer,
        [Parameter(Mandatory)] [uri] $Tenant,
        [Parameter(Mandatory)] [string] $Path,
        [ValidateSet('Get', 'Post', 'Put', 'Delete')] [string] $Method = 'Post',
        [object] $Body,
        [int] $TimeoutSec = 30
    )
    if (-not $Tenant.IsAbsoluteUri -or ($Tenant.Scheme -ne 'https' -and -not ($Tenant.Scheme -eq 'http' -and $Tenant.IsLoopback))) {
        throw 'signed requests are sent over https, or to this machine'
    }
    $address = New-Object uri $Tenant, $Path
    $same = [uri]::Compare($address, $Tenant, 'SchemeAndServer', 'Unescaped', 'OrdinalIgnoreCase') -eq 0
    if (-not $same -or $address.UserInfo) { throw "the request is not for $($Tenant.Authority), so it is not signed" }
    $call = @{
        Uri = $address; Method = $Method; Headers = $Signer.Headers(); TimeoutSec = $TimeoutSec
        MaximumRedirection = 0; ContentType = 'application/json'
    }
    if ($null -ne $Body) {
        $call.Body = if ($Body -is [string]) { $Body } else { ConvertTo-Json $Body -Depth 20 -Compress }
    }
    Invoke-RestMethod @call
}

Export-ModuleMember -Function @('New-CortexkeySigner', 'Get-CortexkeyHeader', 'Invoke-CortexkeyRequest')
