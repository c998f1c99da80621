"""PowerShell with a stub of the cmdlets of Exchange, where PowerShell is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
SECONDS = 60


def find_pwsh() -> str:
    """PowerShell 7; where it is missing, a skip, or a failure with RECONCILER_REQUIRE_PWSH=1."""
    found = shutil.which("pwsh")
    if found is None:
        if os.environ.get("RECONCILER_REQUIRE_PWSH") == "1":
            pytest.fail("pwsh is required and is not on the PATH")
        pytest.skip("pwsh (PowerShell 7) is not on the PATH")
    return found


@dataclass(frozen=True)
class Ran:
    """One run of a script: its exit code, what it printed, and the stub's state afterwards."""

    code: int
    output: str
    state: dict[str, Any]

    @property
    def summary(self) -> str:
        """The last line that is a summary."""
        return [line for line in self.output.splitlines() if line.startswith("Summary: ")][-1]


class Lab:
    """A folder with the stub's state and the scripts; each run is a PowerShell of its own."""

    def __init__(self, pwsh: str, folder: Path, state: dict[str, Any]) -> None:
        """Write the state; what it does not name is empty."""
        self._pwsh = pwsh
        self._folder = folder
        self._state = folder / "state.json"
        empty: dict[str, Any] = {
            "Rules": [],
            "ReceiveConnectors": [],
            "IPAllowList": [],
            "ConnectionFilterPolicies": [],
            "InboundConnectors": [],
            "Changes": [],
        }
        self._state.write_text(json.dumps(empty | state))

    def run(self, script: str, **parameters: object) -> Ran:
        """Run the text of a script. Confirm is off, as in a pipeline."""
        file = self._folder / "script.ps1"
        file.write_bytes(script.encode())
        if "-Append" in script:
            parameters |= {"Confirm": False, "TranscriptPath": str(self._folder / "transcript.log")}
        command = [self._pwsh, "-NoProfile", "-NonInteractive", "-File", str(TESTS / "pwsh" / "RunScript.ps1")]
        command += ["-State", str(self._state), "-Script", str(file), "-Parameters", json.dumps(parameters)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self._folder)
        return Ran(done.returncode, done.stdout + done.stderr, json.loads(self._state.read_text()))

    def export(self, script: str) -> str:
        """What an export script writes."""
        path = self._folder / "export.json"
        ran = self.run(script, Path=str(path))
        assert ran.code == 0, ran.output
        octets = path.read_bytes()
        assert not octets.startswith(b"\xef\xbb\xbf")
        return octets.decode()
