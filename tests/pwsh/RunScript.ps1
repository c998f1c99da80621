# Runs one emitted script against the stub module. State: the stub's JSON file, read before and written after, also when
# the script throws; its exit code is then 1. Parameters: the script's own, as a JSON object.
param(
    [Parameter(Mandatory = $true)] [string] $State,
    [Parameter(Mandatory = $true)] [string] $Script,
    [Parameter(Mandatory = $true)] [string] $Parameters
)
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'ExchangeStub.psm1') -Force
Import-StubState -Path $State
$given = @{}
foreach ($property in (ConvertFrom-Json -InputObject $Parameters).PSObject.Properties) {
    $given[$property.Name] = $property.Value
}
$code = 0
try {
    & $Script @given
}
catch {
    # the message alone: how an error is shown depends on the width of a window
    [System.Console]::Error.WriteLine($_.Exception.Message)
    $code = 1
}
finally {
    Export-StubState -Path $State
}
exit $code
