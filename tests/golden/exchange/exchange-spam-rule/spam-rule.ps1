#Requires -Version 5.1
# Spam rule for the gateway's header.
# Service hq of acme.
#
# Run it in the Exchange Management Shell or after Connect-ExchangeOnline, first with -WhatIf. Without -Confirm:$false it
# asks before each change. A second run changes nothing. The rule is ours by its name; an equal one under another name
# is left alone and counts; two that could be meant are refused. The priority is nobody's business but yours.
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    [string] $TranscriptPath = 'spam-rule.log'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# ShouldProcess has asked already, and an error must stop the script wherever the cmdlet comes from.
$quiet = @{ Confirm = $false; ErrorAction = 'Stop' }

$ruleName = 'Perception Point Spam Rule'
$headerName = 'X-PERCEPTION-POINT-SPAM'
$pattern = 'FAIL'
$level = 6
$service = 'hq'
$organization = 'acme'
$comments = 'For the e-mail gateway: service {0} of {1}. Kept by mail-gateway-reconciler.' -f $service, $organization
# What the rule is, always whole: an action without its condition would be for all mail.
$content = @{
    HeaderMatchesMessageHeader = $headerName
    HeaderMatchesPatterns = $pattern
    SetSCL = $level
    Mode = 'Enforce'
}

function Get-TextList {
    # The values of a property that holds none, one or many, as texts.
    param($Value)
    $Value | Where-Object { $null -ne $_ } | ForEach-Object { [string] $_ }
}

function Get-Difference {
    # What of the condition, the action and the mode is not as it should be.
    param($Rule)
    if ([string] $Rule.HeaderMatchesMessageHeader -ne $headerName) {
        'header'
    }
    $patterns = @(Get-TextList -Value $Rule.HeaderMatchesPatterns)
    if ($patterns.Count -ne 1 -or $patterns[0] -cne $pattern) {
        'pattern'
    }
    if ([string] $Rule.SetSCL -ne [string] $level) {
        'spam confidence level'
    }
    if ([string] $Rule.Mode -ne 'Enforce') {
        'mode'
    }
}

function Get-FurtherPart {
    # What the rule has beside its one condition and its one action.
    param($Rule)
    $ownConditions = 0
    if ([string] $Rule.HeaderMatchesMessageHeader -ne '') {
        $ownConditions = 1
    }
    $ownActions = 0
    if ([string] $Rule.SetSCL -ne '') {
        $ownActions = 1
    }
    if (@(Get-TextList -Value $Rule.Conditions).Count -gt $ownConditions) {
        'conditions'
    }
    if (@(Get-TextList -Value $Rule.Exceptions).Count -gt 0) {
        'exceptions'
    }
    if (@(Get-TextList -Value $Rule.Actions).Count -gt $ownActions) {
        'actions'
    }
    if ([string] $Rule.ActivationDate -ne '') {
        'activation date'
    }
    if ([string] $Rule.ExpiryDate -ne '') {
        'expiry date'
    }
}

function Test-Equal {
    # Whether a rule works and does what the spam rule does.
    param($Rule)
    if ([string] $Rule.State -ne 'Enabled') {
        return $false
    }
    return @(Get-Difference -Rule $Rule).Count -eq 0 -and @(Get-FurtherPart -Rule $Rule).Count -eq 0
}

$null = Start-Transcript -LiteralPath $TranscriptPath -Append -WhatIf:$false -Confirm:$false
try {
    # All rules, and then by name: -Identity with a name that is not there can return every rule.
    $rules = @(Get-TransportRule -ResultSize Unlimited -ErrorAction Stop)
    $named = @($rules | Where-Object { $_.Name -eq $ruleName })
    $equal = @($rules | Where-Object { $_.Name -ne $ruleName } | Where-Object { Test-Equal -Rule $_ })
    if ($named.Count -gt 1) {
        throw ('{0} rules are named {1}. Keep one. Nothing was changed.' -f $named.Count, $ruleName)
    }
    if ($named.Count -eq 0 -and $equal.Count -gt 1) {
        $names = @($equal | ForEach-Object { $_.Name }) -join ', '
        throw ('{0} rules do what the spam rule does: {1}. Keep one. Nothing was changed.' -f $equal.Count, $names)
    }
    $summary = 'in sync, nothing to change'
    if ($named.Count -eq 0 -and $equal.Count -eq 1) {
        $summary = 'in sync: an equal rule is there, named {0}' -f $equal[0].Name
    }
    elseif ($named.Count -eq 0) {
        $summary = 'the rule is missing, and was not made'
        $action = 'New transport rule: {0} matches {1}, spam confidence level {2}' -f $headerName, $pattern, $level
        if ($PSCmdlet.ShouldProcess($ruleName, $action)) {
            $null = New-TransportRule -Name $ruleName -Comments $comments -Enabled $true @content @quiet
            $summary = 'created'
        }
    }
    else {
        $rule = $named[0]
        $identity = [string] $rule.Guid
        $further = @(Get-FurtherPart -Rule $rule)
        if ($further.Count -gt 0) {
            $problem = '{0} has further parts: {1}. Take them out, or rename the rule. Nothing was changed.'
            throw ($problem -f $ruleName, ($further -join ', '))
        }
        $wrong = @(Get-Difference -Rule $rule)
        $done = @()
        $left = @()
        if ($wrong.Count -gt 0) {
            if ($PSCmdlet.ShouldProcess($ruleName, ('Correct: {0}' -f ($wrong -join ', ')))) {
                Set-TransportRule -Identity $identity @content @quiet
                $done += 'corrected'
            }
            else {
                $left += 'not corrected'
            }
        }
        # State is read, and there is no -Enabled to set it with.
        if ([string] $rule.State -ne 'Enabled') {
            if ($PSCmdlet.ShouldProcess($ruleName, 'Enable')) {
                Enable-TransportRule -Identity $identity @quiet
                $done += 'enabled'
            }
            else {
                $left += 'not enabled'
            }
        }
        if (($done.Count + $left.Count) -gt 0) {
            $summary = (@($done) + @($left)) -join ', '
        }
    }
    Write-Output ('Summary: {0}.' -f $summary)
}
finally {
    $null = Stop-Transcript
}
