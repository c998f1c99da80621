#Requires -Version 5.1
# Export of the IP Allow list of an Edge Transport server.
# Service hq of acme.
#
# Run it in the Exchange Management Shell of that server, and give the file to the program. It changes nothing.
[CmdletBinding()]
param(
    [string] $Path = 'edge-allow-list.json'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$invariant = [System.Globalization.CultureInfo]::InvariantCulture

function Get-TextList {
    # The values of a property that holds none, one or many, as texts.
    param($Value)
    $Value | Where-Object { $null -ne $_ } | ForEach-Object { [string] $_ }
}

$target = 'exchange-edge'
$source = [System.Environment]::MachineName
$config = Get-IPAllowListConfig -ErrorAction Stop
$settings = [ordered] @{
    Enabled = [bool] $config.Enabled
    ExternalMailEnabled = [bool] $config.ExternalMailEnabled
}
$objects = @(
    foreach ($entry in @(Get-IPAllowListEntry -ResultSize Unlimited -ErrorAction Stop)) {
        [ordered] @{
            Identity = [string] $entry.Identity
            IPRange = [string] $entry.IPRange
            HasExpired = [bool] $entry.HasExpired
            ExpirationTime = $entry.ExpirationTime.ToString('yyyy-MM-ddTHH:mm:ss', $invariant)
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
