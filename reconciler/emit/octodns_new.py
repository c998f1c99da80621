"""A whole octoDNS repository for our records, and for no other: its files as text.

Each zone is synchronised from the live provider itself and then from our file, whose records replace those of the same
name and type; so what octoDNS wants is what is there, with our records in place of the old ones, and there is nothing
that it could delete. `README.md`, which is written beside, says where this ends.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from natsort import natsorted
from octodns.yaml import safe_dump

from reconciler.emit.octodns_locate import YAML_CLASS
from reconciler.emit.octodns_nodes import is_plain_key
from reconciler.emit.octodns_values import quoted, record_lines, relative_name, yaml_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.names import Name
    from reconciler.state import RRset

MARK = "Written by `reconciler emit octodns`"
CONFIG_NAME = "config.yaml"
OURS = "reconciler"

_SECRET = re.compile(r"secret|token|passw|passphrase|credential|api_?key|private", re.IGNORECASE)
_PLACEHOLDER: Mapping[str, Any] = {
    "class": "octodns_bind.Rfc2136Provider",
    "host": "env/DNS_SERVER",
    "key_name": "env/TSIG_NAME",
    "key_algorithm": "hmac-sha256",
    "key_secret": "env/TSIG_SECRET",
}


def render_zone(zone: Name, rrsets: Iterable[RRset]) -> str:
    """The zone file of our records; octoDNS's natural order, every value in quotes.

    Raises:
        RefusedError: octoDNS has no form for some value.

    """
    by_name: dict[str, list[RRset]] = {}
    for rrset in sorted(rrsets, key=lambda r: r.key):
        by_name.setdefault(relative_name(rrset.key.name, zone), []).append(rrset)
    lines = [f"# {MARK}: change the manifests, not this file.", "---"]
    for name in natsorted(by_name):
        lines.append(f"{name if is_plain_key(name) else quoted(name)}:")
        for rrset in by_name[name]:
            record = record_lines(rrset.key.type, [yaml_value(rrset.key.type, r) for r in rrset.rdatas], rrset.ttl)
            first = "- " if len(by_name[name]) > 1 else "  "
            lines += [first + record[0], *(f"  {line}" for line in record[1:])]
    return "\n".join(lines) + "\n"


def render_config(zones: Sequence[Name], provider: tuple[str, Mapping[str, Any]] | None) -> tuple[str, list[str]]:
    """The configuration, and the options of the provider's block whose secrets were left out of it."""
    name, block = provider or ("live", _PLACEHOLDER)
    ours = OURS if name != OURS else f"{OURS}-records"
    removed: list[str] = []
    clean = _without_secrets(block, name, removed)
    yaml_provider = {
        "class": YAML_CLASS,
        "directory": "./zones",
        "escaped_semicolons": True,
        "populate_should_replace": True,
    }
    parts = [
        f"# {MARK}. Zones are added at the end; everything else is yours to change.\n---\n",
        "# the first is where the zones live: put your own octoDNS provider block here\n" if provider is None else "",
        _dumped({"providers": {name: clean, ours: yaml_provider}}),
        "# the live zone first and our records over it: what is not ours stays, also where octoDNS would object\n",
        "zones:\n",
        *(zone_entry(zone, name, ours) for zone in zones),
    ]
    return "".join(parts), removed


def zone_entry(zone: Name, live: str, ours: str) -> str:
    """One zone of the configuration."""
    sources = f"[{_flow(live)}, {_flow(ours)}]"
    return f"  {quoted(zone)}:\n    lenient: true\n    sources: {sources}\n    targets: [{_flow(live)}]\n"


def _flow(name: str) -> str:
    return name if is_plain_key(name) else quoted(name)


def _dumped(data: Mapping[str, Any]) -> str:
    stream = io.StringIO()
    safe_dump(data, stream, explicit_start=False)
    return stream.getvalue()


def _without_secrets(value: Any, path: str, removed: list[str]) -> Any:  # noqa: ANN401 - whatever a block holds
    """The block with each literal secret replaced by the name of an environment variable."""
    if isinstance(value, dict):
        return {
            str(k): _variable(f"{path}_{k}", removed)
            if isinstance(v, str) and _SECRET.search(str(k)) and not v.startswith("env/")
            else _without_secrets(v, f"{path}_{k}", removed)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(item, path, removed) for item in value]
    return value


def _variable(path: str, removed: list[str]) -> str:
    removed.append(path)
    return "env/" + re.sub(r"[^A-Z0-9]+", "_", path.upper())


def render_requirements(provider: tuple[str, Mapping[str, Any]] | None) -> str:
    """The packages that the repository needs."""
    module = str((provider[1] if provider else _PLACEHOLDER).get("class", "")).split(".", 1)[0]
    package = module.replace("_", "-")
    extra = f"{package}\n" if package and package != "octodns" else ""
    return f"# {MARK}: pip install -r requirements.txt\noctodns>=1.22\n{extra}"


README = f"""<!-- {MARK} -->
# Our records, for octoDNS

These zone files hold the records that put mail domains behind the gateway, and nothing else of their zones. They are
written from the manifests: change those, not these.

    pip install -r requirements.txt
    octodns-validate --config-file config.yaml
    octodns-sync --config-file config.yaml              # shows what would change
    octodns-sync --config-file config.yaml --doit       # changes it

Run it in this folder: the paths in `config.yaml` are relative to where octoDNS runs. Secrets are never in these files;
`env/NAME` is read from the environment by octoDNS.

## Why nothing foreign is deleted

Each zone has two sources: the live provider, then our file with `populate_should_replace: true`. octoDNS wants what is
there, with our records in the place of those with the same name and type. Records that are not ours are on both sides
of the comparison, so there is no change for them.

## Where this ends

- **Foreign values in a shared TXT record.** The verification record may hold values of other owners. They are in the
  file as they were observed when it was written. A value that somebody else adds later is not in the file, and
  `octodns-sync --doit` **removes it**; one that they removed comes back. Write the files again right before every
  sync and read the plan; or use `reconciler apply`, which changes our values alone and refuses when others changed
  meanwhile. It is the safer way.
- **Two readings.** octoDNS reads the live zone once as the source and, with most providers, once more as the target. A
  record that somebody adds between the two, in that second, is planned for deletion. Read every plan: a deletion in it
  is never ours, so do not apply such a plan; run again.
- **Nothing is compared when it is written.** What changes between octoDNS's plan and its write is overwritten.
- **octoDNS's safety thresholds** (30 % of updates or deletions) **are off in zones below ten records**. Do not rely on
  them, and do not use `--force`.
- **Deleting.** A record that shall go altogether cannot be said here, because what is not in our file stays as it is
  in DNS. `reconciler apply` does it.
- **Records that octoDNS cannot read**, such as TXT octets that are not UTF-8, stop the whole zone. `reconciler apply`
  does not mind them.
- `lenient: true` is there so that foreign records which octoDNS finds invalid do not stop our changes.
"""
