"""Reading the catalog's data file: the shipped one, or another of the same shape."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from reconciler.catalog.model import Advisory, Catalog, Region, SpamRule
from reconciler.errors import SettingsError, error
from reconciler.names import canonical_name
from reconciler.strict_yaml import MAX_OCTETS, load_yaml

SHIPPED = Path(__file__).with_name("catalog.yaml")


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog in a file, or the shipped one, which the tests check and no run does again.

    Raises:
        SettingsError: it cannot be read, or is no catalog; every error, with its place.

    """
    octets = SHIPPED.read_bytes() if path is None else _read(path)
    return _build(_data(octets, path), f"sha256:{hashlib.sha256(octets).hexdigest()}")


def _data(octets: bytes, path: Path | None) -> Any:  # noqa: ANN401 - plain data of the shape that `file.py` checks
    if path is None:
        return load_yaml(octets, SHIPPED.name).data
    from reconciler.catalog.file import checked  # noqa: PLC0415 - models take longer to build than all else here

    return checked(load_yaml(octets, str(path)))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_OCTETS + 1)
    except OSError as exc:
        summary = f"the catalog cannot be read: {exc.strerror}"
        detail = "Correct the path in the settings (catalog), or remove it to use the shipped catalog."
        raise SettingsError([error("catalog-unreadable", summary, detail, file=str(path))]) from exc


def _build(data: dict[str, Any], digest: str) -> Catalog:
    rule, multi = data["spam_rule"], data["multi_region"]
    return Catalog(
        gateway=data["gateway"],
        support=data["support"],
        mx_preference=data["mx"]["preference"],
        gateway_domains=tuple(canonical_name(d) for d in data["mx"]["gateway_domains"]),
        verification_label=data["verification"]["label"],
        propagation_hours=data["verification"]["propagation_hours"],
        tls_minimum_version=data["tls"]["minimum_version"],
        spam_rule=SpamRule(rule["name"], rule["header"], rule["pattern"], rule["confidence_level"]),
        regions={
            key: Region(
                key, tuple(r["addresses"]), canonical_name(r["mx_host"]), canonical_name(r["mx_host_multi_region"])
            )
            for key, r in data["regions"].items()
        },
        multi_region_addresses=tuple(multi["addresses"]),
        residency_conflict=tuple(multi["residency_conflict"]),
        excluded_connections=tuple(multi["excluded_connections"]),
        advisories=tuple(
            Advisory(a["code"], a["region"], a["multi_region"], a["summary"], " ".join(a["detail"].split()))
            for a in data["advisories"]
        ),
        digest=digest,
    )
