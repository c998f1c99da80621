# Stands in for the cmdlets of Exchange and Exchange Online that the emitted scripts call. It keeps its state in a JSON
# file and mimics what the cmdlet reference and experience say of the real ones:
#
# * Get-TransportRule with an identity that is not there returns every rule;
# * a rule's State is read, and only Enable- and Disable-TransportRule change it: Set-TransportRule has no -Enabled;
# * a multi-valued property takes a whole list, or @{ Add = ...; Remove = ... }; what is there cannot be added again, and
#   what is not there cannot be removed;
# * what is returned is a copy whose lists are ArrayList, as after remoting;
# * "*" as a sender domain is written back as "smtp:*;1".
#
# Each change is noted in the state's Changes, so that a test can see that there was none.
Set-StrictMode -Version 3.0

$script:State = $null

function Import-StubState {
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    $script:State = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Path))
}

function Export-StubState {
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    [System.IO.File]::WriteAllText($Path, (ConvertTo-Json -InputObject $script:State -Depth 6))
}

function Add-Change {
    param([string] $Text)
    $script:State.Changes = @($script:State.Changes) + $Text
}

function Copy-StubObject {
    param($Item)
    $copy = [ordered] @{}
    foreach ($property in $Item.PSObject.Properties) {
        $value = $property.Value
        if ($value -is [System.Array]) {
            $list = New-Object -TypeName System.Collections.ArrayList
            foreach ($element in $value) {
                $null = $list.Add($element)
            }
            $copy[$property.Name] = $list
        }
        else {
            $copy[$property.Name] = $value
        }
    }
    [pscustomobject] $copy
}

function Get-Changed {
    # A multi-valued property after a change of it.
    param($Current, $Change)
    $values = New-Object -TypeName System.Collections.ArrayList
    if ($Change -isnot [System.Collections.IDictionary]) {
        foreach ($value in @($Change)) {
            $null = $values.Add([string] $value)
        }
        return , $values.ToArray()
    }
    foreach ($value in @($Current)) {
        $null = $values.Add([string] $value)
    }
    foreach ($value in @($Change['Add'] | Where-Object { $null -ne $_ })) {
        if ($values.Contains([string] $value)) {
            throw ('The value {0} is already present in the collection.' -f $value)
        }
        $null = $values.Add([string] $value)
    }
    foreach ($value in @($Change['Remove'] | Where-Object { $null -ne $_ })) {
        if (-not $values.Contains([string] $value)) {
            throw ('The value {0} is not in the collection.' -f $value)
        }
        $values.Remove([string] $value)
    }
    return , $values.ToArray()
}

function Get-One {
    # The only object whose property has this value.
    param($Items, [string] $Property, [string] $Value)
    $found = @($Items | Where-Object { [string] $_.$Property -eq $Value })
    if ($found.Count -ne 1) {
        throw ('{0} objects have the {1} {2}.' -f $found.Count, $Property, $Value)
    }
    $found[0]
}

function Set-Given {
    # Writes the parameters that were given into the object's properties of the same names.
    param($Item, $Given, [string[]] $Names)
    foreach ($name in $Names) {
        if ($Given.ContainsKey($name)) {
            $Item.$name = $Given[$name]
        }
    }
}

function Get-TransportRule {
    [CmdletBinding()]
    param([Parameter(Position = 0)] $Identity, $ResultSize)
    $rules = @($script:State.Rules)
    $found = $rules
    if ($null -ne $Identity) {
        $found = @($rules | Where-Object { $_.Name -eq $Identity -or [string] $_.Guid -eq [string] $Identity })
        if ($found.Count -eq 0) {
            $found = $rules
        }
    }
    foreach ($rule in $found) {
        Copy-StubObject -Item $rule
    }
}

function New-TransportRule {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 64)] [string] $Name,
        [ValidateLength(0, 1024)] [string] $Comments,
        [Parameter(Mandatory = $true)] [string] $HeaderMatchesMessageHeader,
        [Parameter(Mandatory = $true)] [string[]] $HeaderMatchesPatterns,
        [Parameter(Mandatory = $true)] [ValidateRange(-1, 9)] [int] $SetSCL,
        [ValidateSet('Audit', 'AuditAndNotify', 'Enforce')] [string] $Mode = 'Enforce',
        [bool] $Enabled = $true
    )
    if (@($script:State.Rules | Where-Object { $_.Name -eq $Name }).Count -gt 0) {
        throw ('A rule named {0} exists.' -f $Name)
    }
    $ruleState = 'Disabled'
    if ($Enabled) {
        $ruleState = 'Enabled'
    }
    $rule = [pscustomobject] [ordered] @{
        Guid = [string] [System.Guid]::NewGuid()
        Name = $Name
        Comments = $Comments
        State = $ruleState
        Mode = $Mode
        HeaderMatchesMessageHeader = $HeaderMatchesMessageHeader
        HeaderMatchesPatterns = $HeaderMatchesPatterns
        SetSCL = $SetSCL
        Conditions = @('HeaderMatchesPredicate')
        Exceptions = @()
        Actions = @('SetSclAction')
        ActivationDate = $null
        ExpiryDate = $null
    }
    $script:State.Rules = @($script:State.Rules) + $rule
    Add-Change -Text ('New-TransportRule {0}' -f $Name)
    Copy-StubObject -Item $rule
}

function Set-TransportRule {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Identity,
        [string] $HeaderMatchesMessageHeader,
        [string[]] $HeaderMatchesPatterns,
        [int] $SetSCL,
        [ValidateSet('Audit', 'AuditAndNotify', 'Enforce')] [string] $Mode
    )
    $rule = Get-One -Items $script:State.Rules -Property 'Guid' -Value $Identity
    $names = 'HeaderMatchesMessageHeader', 'HeaderMatchesPatterns', 'SetSCL', 'Mode'
    Set-Given -Item $rule -Given $PSBoundParameters -Names $names
    if ($PSBoundParameters.ContainsKey('HeaderMatchesPatterns')) {
        $rule.Conditions = @(@($rule.Conditions) + 'HeaderMatchesPredicate' | Select-Object -Unique)
    }
    if ($PSBoundParameters.ContainsKey('SetSCL')) {
        $rule.Actions = @(@($rule.Actions) + 'SetSclAction' | Select-Object -Unique)
    }
    Add-Change -Text ('Set-TransportRule {0}' -f $rule.Name)
}

function Enable-TransportRule {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true, Position = 0)] [string] $Identity)
    $rule = Get-One -Items $script:State.Rules -Property 'Guid' -Value $Identity
    $rule.State = 'Enabled'
    Add-Change -Text ('Enable-TransportRule {0}' -f $rule.Name)
}

function Get-ReceiveConnector {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string] $Identity, [string] $Server)
    foreach ($connector in @($script:State.ReceiveConnectors)) {
        if ($Server -and $connector.Server -ne $Server) {
            continue
        }
        if ($Identity -and $connector.Identity -ne $Identity) {
            continue
        }
        Copy-StubObject -Item $connector
    }
}

function New-ReceiveConnector {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 64)] [string] $Name,
        [Parameter(Mandatory = $true)] [string] $Server,
        [ValidateSet('FrontendTransport', 'HubTransport')] [string] $TransportRole,
        [ValidateSet('Custom', 'Internet', 'Internal', 'Client', 'Partner')] [string] $Usage,
        [Parameter(Mandatory = $true)] $Bindings,
        [Parameter(Mandatory = $true)] $RemoteIPRanges,
        [string] $PermissionGroups,
        [string] $AuthMechanism,
        [string] $MaxMessageSize,
        [string] $MaxInboundConnectionPerSource,
        [int] $MaxInboundConnectionPercentagePerSource,
        [string] $MessageRateLimit,
        [timespan] $TarpitInterval
    )
    $octets = [long] ($MaxMessageSize -replace 'MB$', '') * 1048576
    $connector = [pscustomobject] [ordered] @{
        Identity = '{0}\{1}' -f $Server, $Name
        Name = $Name
        Server = $Server
        Enabled = $true
        TransportRole = $TransportRole
        Bindings = @($Bindings)
        RemoteIPRanges = @($RemoteIPRanges)
        PermissionGroups = $PermissionGroups
        AuthMechanism = $AuthMechanism
        MaxMessageSize = '{0} ({1} bytes)' -f $MaxMessageSize, $octets
        MaxInboundConnectionPerSource = $MaxInboundConnectionPerSource
        MaxInboundConnectionPercentagePerSource = [string] $MaxInboundConnectionPercentagePerSource
        MessageRateLimit = $MessageRateLimit
        TarpitInterval = [string] $TarpitInterval
    }
    $script:State.ReceiveConnectors = @($script:State.ReceiveConnectors) + $connector
    Add-Change -Text ('New-ReceiveConnector {0}' -f $connector.Identity)
    Copy-StubObject -Item $connector
}

function Set-ReceiveConnector {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Identity,
        $RemoteIPRanges
    )
    $connector = Get-One -Items $script:State.ReceiveConnectors -Property 'Identity' -Value $Identity
    $connector.RemoteIPRanges = Get-Changed -Current $connector.RemoteIPRanges -Change $RemoteIPRanges
    if (@($connector.RemoteIPRanges).Count -eq 0) {
        throw 'RemoteIPRanges cannot be empty.'
    }
    Add-Change -Text ('Set-ReceiveConnector {0}' -f $Identity)
}

function Get-TransportConfig {
    [CmdletBinding()]
    param()
    [pscustomobject] @{ MaxReceiveSize = '100 MB (104,857,600 bytes)' }
}

function Get-OrganizationConfig {
    [CmdletBinding()]
    param()
    [pscustomobject] @{ Name = 'acme.onmicrosoft.example' }
}

function Get-IPAllowListConfig {
    [CmdletBinding()]
    param()
    [pscustomobject] @{ Enabled = $true; ExternalMailEnabled = $true }
}

function Get-IPAllowListEntry {
    [CmdletBinding()]
    param([Parameter(Position = 0)] $Identity, $ResultSize)
    foreach ($entry in @($script:State.IPAllowList)) {
        [pscustomobject] @{
            Identity = $entry.Identity
            IPRange = $entry.IPRange
            HasExpired = $entry.HasExpired
            ExpirationTime = [System.DateTime]::MaxValue
        }
    }
}

function Add-IPAllowListEntry {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([System.Net.IPAddress] $IPAddress, [string] $IPRange)
    $text = $IPRange
    if ($null -ne $IPAddress) {
        $text = [string] $IPAddress
    }
    $last = 0
    foreach ($entry in @($script:State.IPAllowList)) {
        $last = [System.Math]::Max($last, [int] $entry.Identity)
    }
    $added = [pscustomobject] [ordered] @{ Identity = $last + 1; IPRange = $text; HasExpired = $false }
    $script:State.IPAllowList = @($script:State.IPAllowList) + $added
    Add-Change -Text ('Add-IPAllowListEntry {0}' -f $text)
    $added
}

function Remove-IPAllowListEntry {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param([Parameter(Mandatory = $true, Position = 0)] [string] $Identity)
    $gone = Get-One -Items $script:State.IPAllowList -Property 'Identity' -Value $Identity
    $script:State.IPAllowList = @($script:State.IPAllowList | Where-Object { [string] $_.Identity -ne $Identity })
    Add-Change -Text ('Remove-IPAllowListEntry {0}' -f $gone.IPRange)
}

function Get-HostedConnectionFilterPolicy {
    [CmdletBinding()]
    param()
    foreach ($policy in @($script:State.ConnectionFilterPolicies)) {
        Copy-StubObject -Item $policy
    }
}

function Set-HostedConnectionFilterPolicy {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Identity,
        [Parameter(Mandatory = $true)] $IPAllowList
    )
    $policy = Get-One -Items $script:State.ConnectionFilterPolicies -Property 'Identity' -Value $Identity
    $policy.IPAllowList = Get-Changed -Current $policy.IPAllowList -Change $IPAllowList
    Add-Change -Text ('Set-HostedConnectionFilterPolicy {0}' -f $Identity)
}

function Get-SenderDomain {
    param([string[]] $Domains)
    foreach ($domain in $Domains) {
        if ($domain -match '^smtp:') {
            $domain
        }
        else {
            'smtp:{0};1' -f $domain
        }
    }
}

function Get-InboundConnector {
    [CmdletBinding()]
    param()
    foreach ($connector in @($script:State.InboundConnectors)) {
        Copy-StubObject -Item $connector
    }
}

function New-InboundConnector {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 64)] [string] $Name,
        [Parameter(Mandatory = $true)] [string[]] $SenderDomains,
        [ValidateSet('Partner', 'OnPremises')] [string] $ConnectorType = 'Partner',
        $SenderIPAddresses,
        [bool] $RestrictDomainsToIPAddresses = $false,
        [bool] $RequireTls = $true,
        [bool] $Enabled = $true
    )
    $connector = [pscustomobject] [ordered] @{
        Identity = $Name
        Name = $Name
        Enabled = $Enabled
        ConnectorType = $ConnectorType
        SenderDomains = @(Get-SenderDomain -Domains $SenderDomains)
        SenderIPAddresses = @($SenderIPAddresses)
        RestrictDomainsToIPAddresses = $RestrictDomainsToIPAddresses
        RequireTls = $RequireTls
        EFSkipLastIP = $false
        EFSkipIPs = @()
        EFUsers = @()
    }
    $script:State.InboundConnectors = @($script:State.InboundConnectors) + $connector
    Add-Change -Text ('New-InboundConnector {0}' -f $Name)
    Copy-StubObject -Item $connector
}

function Set-InboundConnector {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Identity,
        [string[]] $SenderDomains,
        $SenderIPAddresses,
        [bool] $RestrictDomainsToIPAddresses,
        $EFSkipIPs,
        [bool] $EFSkipLastIP,
        [bool] $Enabled
    )
    $connector = Get-One -Items $script:State.InboundConnectors -Property 'Identity' -Value $Identity
    Set-Given -Item $connector -Given $PSBoundParameters -Names 'RestrictDomainsToIPAddresses', 'EFSkipLastIP', 'Enabled'
    if ($PSBoundParameters.ContainsKey('SenderDomains')) {
        $connector.SenderDomains = @(Get-SenderDomain -Domains $SenderDomains)
    }
    foreach ($name in 'SenderIPAddresses', 'EFSkipIPs') {
        if ($PSBoundParameters.ContainsKey($name)) {
            $connector.$name = Get-Changed -Current $connector.$name -Change $PSBoundParameters[$name]
        }
    }
    Add-Change -Text ('Set-InboundConnector {0} {1}' -f $Identity, (@($PSBoundParameters.Keys | Sort-Object) -join ' '))
}

Export-ModuleMember -Function @(
    'Import-StubState', 'Export-StubState',
    'Get-TransportRule', 'New-TransportRule', 'Set-TransportRule', 'Enable-TransportRule',
    'Get-ReceiveConnector', 'New-ReceiveConnector', 'Set-ReceiveConnector',
    'Get-IPAllowListConfig', 'Get-IPAllowListEntry', 'Add-IPAllowListEntry', 'Remove-IPAllowListEntry',
    'Get-HostedConnectionFilterPolicy', 'Set-HostedConnectionFilterPolicy',
    'Get-InboundConnector', 'New-InboundConnector', 'Set-InboundConnector',
    'Get-TransportConfig', 'Get-OrganizationConfig'
)
