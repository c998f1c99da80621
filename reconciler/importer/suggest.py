"""Which octoDNS package writes to a zone, as far as the names of its name servers tell."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from reconciler.strict_yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TABLE = "name_servers.yaml"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs name servers whose names match one of `names`; `package` is empty where octoDNS lists none."""

    operator: str
    names: tuple[str, ...]
    package: str


def load_operators() -> tuple[Operator, ...]:
    """The table that comes with the program."""
    document: Any = load_yaml((files("reconciler.importer") / _TABLE).read_bytes(), _TABLE).data
    return tuple(Operator(o["operator"], tuple(o["names"]), o.get("package", "")) for o in document["operators"])


def find_operators(name_servers: Sequence[str], operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """The operators of a zone's name servers (host names), in the order of the table: none, one, or several."""
    hosts = [host.lower().removesuffix(".") for host in name_servers]
    return tuple(o for o in operators if any(fnmatchcase(host, pattern) for host in hosts for pattern in o.names))


def find_providers(package: str, providers: Mapping[str, Mapping[str, object]]) -> tuple[str, ...]:
    """The ids of the settings' provider blocks whose class is of a package, sorted."""
    module = package.replace("-", "_")
    return tuple(sorted(i for i, block in providers.items() if str(block.get("class", "")).startswith(f"{module}.")))
