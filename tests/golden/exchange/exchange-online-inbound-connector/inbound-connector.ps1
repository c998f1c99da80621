#Requires -Version 5.1
# Inbound connector of Exchange Online for the gateway.
# Service hq of acme.
#
# Run it after Connect-ExchangeOnline, first with -WhatIf. Without -Confirm:$false it asks before each change.
# A second run changes nothing. Entries that only an old state needed go with -Prune alone; others are never touched.
#
# The connector knows the gateway by its addresses, and rejects nobody. If somebody made it reject, it goes on doing so
# until -Loosen is given.
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    # Stop rejecting mail that comes from elsewhere.
    [switch] $Loosen,
    # For a new connector alone: whether the gateway has to use TLS.
    [bool] $RequireTls = $false,
    # Remove stale entries.
    [switch] $Prune,
    [string] $TranscriptPath = 'inbound-connector.log'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# ShouldProcess has asked already, and an error must stop the script wherever the cmdlet comes from.
$quiet = @{ Confirm = $false; ErrorAction = 'Stop' }

$connectorName = 'Gateway'
# The gateway's addresses, and the entries that were seen there and that only an old state needed.
$gateway = @(
    '99.81.216.78'
    '34.249.190.60'
    '108.128.137.108'
    '99.80.189.20'
)
$stale = @(
    '52.12.169.124'
)

function Get-TextList {
    # The values of a property that holds none, one or many, as texts.
    param($Value)
    $Value | Where-Object { $null -ne $_ } | ForEach-Object { [string] $_ }
}

function ConvertTo-AddressBits {
    # 32 or 128 binary digits; nothing for a text that is no address.
    param([string] $Text)
    $address = $null
    if (-not [System.Net.IPAddress]::TryParse($Text.Trim(), [ref] $address)) {
        return
    }
    $octets = foreach ($octet in $address.GetAddressBytes()) {
        [System.Convert]::ToString($octet, 2).PadLeft(8, '0')
    }
    $octets -join ''
}

function Get-AddressInterval {
    # The first and the last address of an entry: a single one, a-b, a/prefix or a(mask); nothing for any other text.
    param([string] $Entry)
    $low = ''
    $high = ''
    $mask = ''
    if ($Entry -match '^(.+)\((.+)\)$') {
        $low = [string] (ConvertTo-AddressBits -Text $Matches[1])
        $mask = [string] (ConvertTo-AddressBits -Text $Matches[2])
    }
    elseif ($Entry -match '^(.+)/([0-9]+)$') {
        $low = [string] (ConvertTo-AddressBits -Text $Matches[1])
        $mask = ''.PadLeft([System.Math]::Min([int] $Matches[2], $low.Length), '1').PadRight($low.Length, '0')
    }
    elseif ($Entry -match '^(.+)-(.+)$') {
        $low = [string] (ConvertTo-AddressBits -Text $Matches[1])
        $high = [string] (ConvertTo-AddressBits -Text $Matches[2])
    }
    else {
        $low = [string] (ConvertTo-AddressBits -Text $Entry)
        $high = $low
    }
    if ($mask -ne '' -and $mask.Length -eq $low.Length) {
        $fixed = $mask.TrimEnd('0').Length
        $high = $low.Substring(0, $fixed).PadRight($low.Length, '1')
        $low = $low.Substring(0, $fixed).PadRight($low.Length, '0')
    }
    if ($low -ne '' -and $low.Length -eq $high.Length) {
        [pscustomobject] @{ Low = $low; High = $high }
    }
}

function Test-AddressCovered {
    # Whether one of the entries holds the address.
    param([string] $Address, [string[]] $Entries)
    $wanted = Get-AddressInterval -Entry $Address
    foreach ($entry in $Entries) {
        $interval = Get-AddressInterval -Entry $entry
        if ($null -eq $interval -or $interval.Low.Length -ne $wanted.Low.Length) {
            continue
        }
        $isAbove = [System.String]::CompareOrdinal($interval.Low, $wanted.Low) -le 0
        $isBelow = [System.String]::CompareOrdinal($interval.High, $wanted.High) -ge 0
        if ($isAbove -and $isBelow) {
            return $true
        }
    }
    return $false
}

$null = Start-Transcript -LiteralPath $TranscriptPath -Append -WhatIf:$false -Confirm:$false
try {
    $found = @(Get-InboundConnector -ErrorAction Stop | Where-Object { $_.Name -eq $connectorName })
    if ($found.Count -gt 1) {
        throw ('{0} inbound connectors are named {1}. Nothing was changed.' -f $found.Count, $connectorName)
    }
    $current = @()
    foreach ($connector in $found) {
        if ([string] $connector.ConnectorType -ne 'Partner') {
            $problem = '{0} is of type {1}, and not Partner. Use another name. Nothing was changed.'
            throw ($problem -f $connectorName, $connector.ConnectorType)
        }
        $current = @(Get-TextList -Value $connector.SenderIPAddresses)
    }
    # Adds are what no entry that stays covers, so that a removal never takes an address with it.
    $doomed = @($current | Where-Object { $stale -contains $_ })
    $kept = @($current | Where-Object { $stale -notcontains $_ })
    $missing = @($gateway | Where-Object { -not (Test-AddressCovered -Address $_ -Entries $kept) })
    $differences = $missing.Count + $doomed.Count
    $added = 0
    $removed = 0
    $corrected = 0
    if ($doomed.Count -gt 0 -and -not $Prune) {
        Write-Warning ('Stale entries are left, run with -Prune to remove them: {0}' -f ($doomed -join ', '))
    }

    if ($found.Count -eq 0) {
        $parameters = @{
            Name = $connectorName
            ConnectorType = 'Partner'
            SenderDomains = '*'
            SenderIPAddresses = $gateway
            RestrictDomainsToIPAddresses = $false
            RequireTls = $RequireTls
            Enabled = $true
        }
        $action = 'New inbound connector for {0}' -f ($gateway -join ', ')
        if ($PSCmdlet.ShouldProcess($connectorName, $action)) {
            $null = New-InboundConnector @parameters @quiet
            $added = $missing.Count
        }
    }
    else {
        $identity = [string] $found[0].Identity
        # Addresses first: what rejects must know them before it does.
        if ($missing.Count -gt 0) {
            if ($PSCmdlet.ShouldProcess($identity, ('Add to SenderIPAddresses: {0}' -f ($missing -join ', ')))) {
                Set-InboundConnector -Identity $identity -SenderIPAddresses @{ Add = $missing } @quiet
                $added = $missing.Count
            }
        }
    }
    # Nothing goes before everything is there: what is stale may be what still covers an address of the gateway.
    $isComplete = $added -eq $missing.Count -or [bool] $WhatIfPreference
    if (-not $isComplete) {
        Write-Warning 'Addresses of the gateway are missing: nothing is removed, and nothing that needs them is changed.'
    }
    foreach ($connector in $found) {
        # Exchange Online writes "*" back as "smtp:*;1": an address type, and a cost.
        $domains = @(Get-TextList -Value $connector.SenderDomains)
        $isForAll = @($domains | Where-Object { $_ -match '^(smtp:)?\*(;[0-9]+)?$' }).Count -gt 0
        $isRejecting = [bool] $connector.RestrictDomainsToIPAddresses
        if ($isRejecting) {
            $differences += 1
            if (-not $Loosen) {
                $problem = '{0} rejects mail that comes from elsewhere; run with -Loosen to stop that.'
                Write-Warning ($problem -f $identity)
            }
            elseif ($PSCmdlet.ShouldProcess($identity, 'Stop rejecting mail that comes from elsewhere')) {
                $change = @{ SenderDomains = '*'; RestrictDomainsToIPAddresses = $false }
                Set-InboundConnector -Identity $identity @change @quiet
                $isRejecting = $false
                $corrected += 1
            }
        }
        elseif (-not $isForAll) {
            $differences += 1
            if ($PSCmdlet.ShouldProcess($identity, 'Use the connector for every sender domain')) {
                Set-InboundConnector -Identity $identity -SenderDomains '*' @quiet
                $corrected += 1
            }
        }
        if (-not $connector.Enabled) {
            $differences += 1
            if ($isRejecting) {
                $problem = '{0} is disabled, and enabled it would reject mail that comes from elsewhere: it is left so.'
                Write-Warning ($problem -f $identity)
                continue
            }
            if ($isComplete -and $PSCmdlet.ShouldProcess($identity, 'Enable')) {
                Set-InboundConnector -Identity $identity -Enabled $true @quiet
                $corrected += 1
            }
        }
    }
    if ($Prune -and $isComplete -and $doomed.Count -gt 0) {
        if ($PSCmdlet.ShouldProcess($identity, ('Remove from SenderIPAddresses: {0}' -f ($doomed -join ', ')))) {
            Set-InboundConnector -Identity $identity -SenderIPAddresses @{ Remove = $doomed } @quiet
            $removed = $doomed.Count
        }
    }
    if ($differences -eq 0) {
        Write-Output ('Summary: in sync, nothing to change ({0} entries).' -f $current.Count)
    }
    else {
        $done = 'Summary: {0} differences; {1} added, {2} removed, {3} corrected, {4} left as they were.'
        $left = $differences - $added - $removed - $corrected
        Write-Output ($done -f $differences, $added, $removed, $corrected, $left)
    }
}
finally {
    $null = Stop-Transcript
}
