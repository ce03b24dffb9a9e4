@{
    RootModule = 'Cortexkey.psm1'
    ModuleVersion = '0.1.0'
    GUID = '5b0f6b0e-6a3c-4d0e-9d6a-7d1f4e1c8a52'
    Author = 'The cortexkey developers'
    Copyright = 'The cortexkey developers. MIT OR Apache-2.0.'
    Description = 'Signs requests to Palo Alto Networks Cortex APIs with Standard and Advanced API keys.'
    PowerShellVersion = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport = @('New-CortexkeySigner', 'Get-CortexkeyHeader', 'Invoke-CortexkeyRequest')
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
    FileList = @('Cortexkey.psd1', 'Cortexkey.psm1', 'Signer.cs')
    PrivateData = @{ PSData = @{
        Tags = @('Cortex', 'XSOAR', 'XSIAM', 'API')
        LicenseUri = 'https://github.com/cortexkey/cortexkey/blob/main/LICENSE-MIT'
        ProjectUri = 'https://github.com/cortexkey/cortexkey'
    } }
}
