"""A wheel house from what is installed here, and a lock that has its hashes, so that pip needs no index.

The installed files are packed again. What that proves is the way of the installation: the lock, its hashes, the build.
What it does not prove is that the index has files with the hashes of the lock that is published; `make test` does that.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LOCKED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)((?: ; [^\\\n]+)?) \\\n(?:    --hash=\S+(?: \\)?\n)+", re.MULTILINE)
_OF_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def build_house(folder: Path, lock: str) -> str:
    """Pack every distribution that the lock names into `folder`; the lock with the hashes of what was packed.

    Raises:
        AssertionError: what is installed is not what the lock names.

    """
    folder.mkdir()
    installed = {_name(d.metadata["Name"]): d for d in distributions()}

    def packed(match: re.Match[str]) -> str:
        name, version, marker = match.groups()
        if name not in installed:
            assert marker, f"{name} is locked and not installed"
            return match[0]
        assert installed[name].version == version, f"{name} is locked at {version}"
        wheel = _pack(installed[name], folder)
        return f"{name}=={version}{marker} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    rewritten, count = _LOCKED.subn(packed, lock)
    assert count == len(re.findall(r"^\S+==", lock, re.MULTILINE))
    return rewritten


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pack(distribution: Distribution, folder: Path) -> Path:
    described = distribution.read_text("WHEEL") or ""
    tags = [tag.split("-") for tag in re.findall(r"^Tag: (\S+)$", described, re.MULTILINE)]
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))
    name = _name(distribution.metadata["Name"]).replace("-", "_")
    wheel = folder / f"{name}-{distribution.version}-{tag}.whl"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in distribution.files or []:
            # what stands outside is made again from the entry points
            if file.parts[0] == ".." or "__pycache__" in file.parts or file.name in _OF_INSTALLATION:
                continue
            octets = file.locate().read_bytes()  # type: ignore[attr-defined] # a path, as it says itself
            digest = base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode()
            rows.writerow([str(file), f"sha256={digest}", len(octets)])
            archive.writestr(str(file), octets)
        information = next(f.parts[0] for f in distribution.files or [] if f.parts[0].endswith(".dist-info"))
        rows.writerow([f"{information}/RECORD", "", ""])
        archive.writestr(f"{information}/RECORD", record.getvalue())
    return wheel
