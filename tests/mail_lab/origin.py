"""The origin: a Postfix with the client access table that the program emits, and a Maildir that counts."""

from __future__ import annotations

import email.parser
import email.policy
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from servers.processes import require

from mail_lab.network import ORIGIN
from mail_lab.postfix import run_postfix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mail_lab.network import Site
    from mail_lab.postfix import Mta

_CLIENT = re.compile(r"\[([0-9a-f.:]+)\]\)")
_NOBODY = 65534


@dataclass(frozen=True)
class Arrival:
    """One message in the Maildir: its id, the address that handed it over, and when (seconds since the epoch)."""

    id: str
    client: str
    at: float


@dataclass(frozen=True)
class Origin:
    """The running origin; `table` is the path that main.cf names for `check_client_access`."""

    mta: Mta
    table: Path
    maildir: Path

    def install(self, emitted: Path) -> None:
        """What an administrator does with an emitted folder: check the table, move it in place, reload."""
        table = emitted / self.table.name
        self.mta.site.check("sh", str(emitted / "check.sh"), str(table), environment=self._environment)
        self.install_text(table.read_text())

    def install_text(self, text: str) -> None:
        """A table in place, and every process of the origin started anew with it."""
        draft = self.table.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(self.table)
        self.mta.reload()

    def export(self, script: Path, to: Path) -> None:
        """Run the emitted script that makes the export."""
        text = self.mta.site.check("sh", str(script), str(self.table), environment=self._environment)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text)

    @property
    def _environment(self) -> dict[str, str]:
        return {"MAIL_CONFIG": str(self.mta.configuration)}

    def arrivals(self) -> list[Arrival]:
        """Every message that has arrived."""
        parser = email.parser.BytesHeaderParser(policy=email.policy.compat32)
        found = []
        for file in sorted((self.maildir / "new").iterdir()):
            with file.open("rb") as stream:
                headers = parser.parse(stream)
            client = _CLIENT.search(str(headers["Received"]))
            if client is None:
                pytest.fail(f"the origin's own Received field names no client: {headers['Received']}")
            found.append(Arrival(str(headers["X-Laboratory-Id"]), client[1], file.stat().st_mtime))
        return found


@contextmanager
def run_origin(site: Site, domains: Sequence[str], directory: Path, *, host: str) -> Iterator[Origin]:
    """The origin for these mail domains, open to everybody: its table is there and empty."""
    directory.mkdir()
    table, maildir = directory / "gateway_access.cidr", directory / "mail" / "all"
    table.write_text("# nothing yet\n")
    maildir.mkdir(parents=True)
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir()
    for folder in (maildir.parent, maildir, *maildir.iterdir()):
        shutil.chown(folder, _NOBODY, _NOBODY)
    certificate, key = make_certificate(directory, host)
    parameters = {
        "myhostname": host,
        "virtual_mailbox_domains": " ".join(domains),
        "virtual_mailbox_base": str(maildir.parent),
        "virtual_mailbox_maps": "static:all/",
        "virtual_mailbox_limit": "0",
        "virtual_minimum_uid": "100",
        "virtual_uid_maps": f"static:{_NOBODY}",
        "virtual_gid_maps": f"static:{_NOBODY}",
        "message_size_limit": "52428800",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_client_restrictions": f"check_client_access cidr:{table}",
        "smtpd_relay_restrictions": "reject_unauth_destination",
    }
    with run_postfix(site, directory / "postfix", listen=ORIGIN, parameters=parameters) as mta:
        yield Origin(mta, table, maildir)


def make_certificate(directory: Path, host: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key: the paths."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        [
            *(require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "30", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
