#Requires -Version 5.1
# Export of the spam rule and of whatever acts on the same header.
# Service hq of acme.
#
# Run it in the Exchange Management Shell or after Connect-ExchangeOnline, and give the file to the program.
# It changes nothing.
[CmdletBinding()]
param(
    [string] $Path = 'spam-rule.json'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$invariant = [System.Globalization.CultureInfo]::InvariantCulture

function Get-TextList {
    # The values of a property that holds none, one or many, as texts.
    param($Value)
    $Value | Where-Object { $null -ne $_ } | ForEach-Object { [string] $_ }
}

$target = 'exchange-spam-rule'
$ruleName = 'Perception Point Spam Rule'
$headerName = 'X-PERCEPTION-POINT-SPAM'
$organization = Get-OrganizationConfig -ErrorAction Stop
$source = [string] $organization.Name
$settings = [ordered] @{}
# All rules, and then by name: -Identity with a name that is not there can return every rule.
$rules = @(Get-TransportRule -ResultSize Unlimited -ErrorAction Stop)
$objects = @(
    foreach ($rule in $rules) {
        if ($rule.Name -ne $ruleName -and [string] $rule.HeaderMatchesMessageHeader -ne $headerName) {
            continue
        }
        [ordered] @{
            Guid = [string] $rule.Guid
            Name = [string] $rule.Name
            State = [string] $rule.State
            Mode = [string] $rule.Mode
            HeaderMatchesMessageHeader = [string] $rule.HeaderMatchesMessageHeader
            HeaderMatchesPatterns = @(Get-TextList -Value $rule.HeaderMatchesPatterns)
            SetSCL = [string] $rule.SetSCL
            Conditions = @(Get-TextList -Value $rule.Conditions)
            Exceptions = @(Get-TextList -Value $rule.Exceptions)
            Actions = @(Get-TextList -Value $rule.Actions)
            ActivationDate = [string] $rule.ActivationDate
            ExpiryDate = [string] $rule.ExpiryDate
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
