# Prints each error that PowerShell's own parser finds in the scripts, one a line.
param([Parameter(Mandatory = $true)] [string] $Folder)
foreach ($file in @(Get-ChildItem -LiteralPath $Folder -Recurse -File | Where-Object { $_.Extension -in '.ps1', '.psm1' })) {
    $tokens = $null
    $problems = $null
    $null = [System.Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref] $tokens, [ref] $problems)
    foreach ($problem in @($problems)) {
        Write-Output ('{0}:{1}: {2}' -f $file.FullName, $problem.Extent.StartLineNumber, $problem.Message)
    }
}
