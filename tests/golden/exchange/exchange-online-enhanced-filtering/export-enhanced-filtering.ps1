#Requires -Version 5.1
# Export of enhanced filtering of Exchange Online.
# Service hq of acme.
#
# Run it after Connect-ExchangeOnline, and give the file to the program. It changes nothing.
[CmdletBinding()]
param(
    [string] $Path = 'enhanced-filtering.json'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$invariant = [System.Globalization.CultureInfo]::InvariantCulture

function Get-TextList {
    # The values of a property that holds none, one or many, as texts.
    param($Value)
    $Value | Where-Object { $null -ne $_ } | ForEach-Object { [string] $_ }
}

$target = 'exchange-online-enhanced-filtering'
$organization = Get-OrganizationConfig -ErrorAction Stop
$source = [string] $organization.Name
$settings = [ordered] @{}
$objects = @(
    foreach ($connector in @(Get-InboundConnector -ErrorAction Stop)) {
        [ordered] @{
            Name = [string] $connector.Name
            Enabled = [bool] $connector.Enabled
            EFSkipLastIP = [bool] $connector.EFSkipLastIP
            EFSkipIPs = @(Get-TextList -Value $connector.EFSkipIPs)
            EFUsers = @(Get-TextList -Value $connector.EFUsers)
        }
    }
)
$document = [ordered] @{
    Format = 'exchange-export'
    FormatVersion = '1'
    ToolVersion = '0.1.0'
    Target = $target
    MadeAt = [System.DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
    Server = $source
    Count = $objects.Count
    Settings = $settings
    Objects = $objects
}
# InputObject: a pipeline would unwrap a list of one. Written whole and then renamed: nobody reads a half.
$json = ConvertTo-Json -InputObject $document -Depth 5
$file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
$partial = $file + '.partial'
[System.IO.File]::WriteAllText($partial, $json, (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false))
Move-Item -LiteralPath $partial -Destination $file -Force
Write-Output ('Summary: {0} objects of {1} written to {2}' -f $objects.Count, $source, $file)
