# Signs requests to Palo Alto Networks Cortex APIs. `Signer.cs` contains the signer, this file the commands.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if (-not ('Cortexkey.Signer' -as [type])) {
    Add-Type -Path (Join-Path $PSScriptRoot 'Signer.cs')
}

<#
.SYNOPSIS
Creates a signer for one API key.
.DESCRIPTION
Pass the key as a secure string, so that it does not appear in the command history: use Read-Host -AsSecureString, or
Get-Secret from a vault. With -FromEnvironment, the key comes from the environment variables CORTEXKEY_API_KEY,
CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE. Invalid values are terminating errors, and no error contains the key.
Call Dispose() on the signer to wipe the key.
.PARAMETER KeyId
The number in the ID column of the console's API Keys table.
.PARAMETER Key
The key, 1 to 256 characters of visible ASCII.
.PARAMETER Level
The key's Security Level: Standard or Advanced (the default).
.PARAMETER FromEnvironment
Reads the key, its id and its level (standard or advanced, in lower case) from the environment.
.OUTPUTS
Cortexkey.Signer. Any number of threads may use it at once.
.EXAMPLE
$signer = New-CortexkeySigner -KeyId 7 -Key (Read-Host -AsSecureString) -Level Advanced
.EXAMPLE
$signer = New-CortexkeySigner -FromEnvironment
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
Call it for each attempt, including retries: a tenant refuses headers of an Advanced key that are sent twice.
.PARAMETER Signer
A signer from New-CortexkeySigner.
.OUTPUTS
A dictionary of header names and values: two for a Standard key, four for an Advanced key.
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
The request goes only to the tenant and only over https, except to this machine. A path that leads to another host is an
error, and redirects are not followed.
.PARAMETER Signer
A signer from New-CortexkeySigner.
.PARAMETER Tenant
The tenant's API address, https://HOST.
.PARAMETER Path
The path of the call, such as /api_keys/validate/.
.PARAMETER Method
The HTTP method, by default Post.
.PARAMETER Body
A string, which is sent unchanged, or an object, which is converted to JSON.
.PARAMETER TimeoutSec
The timeout in seconds, by default 30.
.OUTPUTS
The response, as Invoke-RestMethod returns it.
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
        throw 'signed requests are sent only over https or to this machine'
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
