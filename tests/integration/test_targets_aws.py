"""A managed prefix list in moto, with the AWS command line: emitted, applied, exported, read, in sync."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import boto3
import pytest
from origin_lab import EU, FOREIGN, US, Origin
from route53_lab import run_moto
from servers.processes import require
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.targets.base import UnreadableExportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.client import BaseClient

    from reconciler.targets.base import AllowlistContent

pytestmark = pytest.mark.integration

SECONDS = 60.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    yield from _moto()


def _moto() -> Iterator[str]:
    with run_moto() as url:
        yield url


@pytest.fixture
def client(endpoint: str) -> BaseClient:
    # moto takes any credentials
    return boto3.client("ec2", "eu-west-1", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106


@pytest.fixture
def aws(endpoint: str, tmp_path: Path) -> dict[str, str]:
    """The environment in which `aws` is the real command line, asking moto: older ones know no variable for that."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "aws"
    command.write_text(f'#!/bin/sh\nexec {require("aws")} --endpoint-url {endpoint} "$@"\n')
    command.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    empty = tmp_path / "empty"
    empty.touch()
    nothing = {"AWS_CONFIG_FILE": str(empty), "AWS_SHARED_CREDENTIALS_FILE": str(empty), "AWS_PAGER": ""}
    return {**inherited, **CREDENTIALS, **nothing, "PATH": f"{folder}:{os.environ['PATH']}"}


def _origin(client: BaseClient, folder: Path, *, max_entries: int = 20) -> Origin:
    entries = [{"Cidr": "198.51.100.0/24", "Description": "office"}, {"Cidr": "203.0.113.77/32"}]
    made = client.create_managed_prefix_list(
        PrefixListName="gateway", AddressFamily="IPv4", MaxEntries=max_entries, Entries=entries
    )
    return Origin(declared_list("aws-prefix-list", made["PrefixList"]["PrefixListId"]), folder)


def _run(origin: Origin, script: str, aws: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [origin.folder / script], env=aws, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def _exported(origin: Origin, aws: dict[str, str]) -> AllowlistContent:
    ran = _run(origin, "export.sh", aws)
    assert ran.returncode == 0, ran.stderr
    return origin.read(ran.stdout)


def test_a_prefix_list(client: BaseClient, aws: dict[str, str], tmp_path: Path) -> None:
    """Without an export the script looks the version up; with one it names the version that was read."""
    origin = _origin(client, tmp_path)
    origin.emit(EU)
    assert "CurrentVersion" not in json.loads((tmp_path / "modify.json").read_text())
    ran = _run(origin, "apply.sh", aws)
    assert ran.returncode == 0, ran.stderr
    content = _exported(origin, aws)
    assert (content.addresses, content.revision) == (parse_address_set([*EU, *FOREIGN]), "2")
    origin.emit(US, content)
    # moto does not compare the version that a call names; AWS refuses another one than the list's
    assert json.loads((tmp_path / "modify.json").read_text())["CurrentVersion"] == 2
    assert "version=2\n" in (tmp_path / "apply.sh").read_text()
    assert _run(origin, "apply.sh", aws).returncode == 0
    content = _exported(origin, aws)
    assert (content.addresses, content.revision) == (parse_address_set([*US, *FOREIGN]), "3")
    assert origin.is_in_sync(US, content)
    origin.emit(US, content)
    assert "nothing to change" in _run(origin, "apply.sh", aws).stdout
    assert _exported(origin, aws).revision == "3"
    kept = client.get_managed_prefix_list_entries(PrefixListId=origin.declared.name)["Entries"]
    assert {"Cidr": "198.51.100.0/24", "Description": "office"} in kept


def test_an_export_tells_whose_it_is_and_how_full(client: BaseClient, aws: dict[str, str], tmp_path: Path) -> None:
    one, other = _origin(client, tmp_path, max_entries=4), _origin(client, tmp_path)
    one.emit(EU)
    export = _run(one, "export.sh", aws).stdout
    with pytest.raises(UnreadableExportError, match="not of"):
        other.read(export)
    assert [a.code for a in one.read(export).advice] == ["list-full"]
