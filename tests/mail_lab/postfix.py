"""A Postfix of the laboratory's own: configuration, queue and log lie in one folder; ended by its process handle."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from servers.processes import require, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mail_lab.network import Site

SMTP_PORT = 25
LIFE_SECONDS = "3600"  # master drops what would end it with the test; this ends it when the test is killed
_SERVICES = """\
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 1    1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
proxymap  unix  - - n -    - proxymap
smtp      unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
virtual   unix  - n n -    - virtual
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
# seconds, where an installation has minutes: a retry is seen within a short test
_COMMON = {
    "compatibility_level": "3.6",
    "multi_instance_enable": "no",
    "inet_protocols": "ipv4",
    "mynetworks": "",
    "mydestination": "",
    "local_recipient_maps": "",
    "alias_maps": "",
    "alias_database": "",
    "biff": "no",
    "smtpd_peername_lookup": "no",
    "smtpd_client_connection_count_limit": "0",
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "3s",
    "maximal_queue_lifetime": "10m",
    "bounce_queue_lifetime": "10m",
    "smtp_connect_timeout": "5s",
    "smtp_tls_security_level": "may",
    "notify_classes": "",
}


@dataclass(frozen=True)
class Mta:
    """A running Postfix."""

    site: Site
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def configuration(self) -> Path:
        """The folder of main.cf."""
        return self.directory / "etc"

    def postfix(self, *command: str) -> str:
        """Postfix's own control command, as in `reload`."""
        return self.site.check(require("postfix"), "-c", str(self.configuration), *command)

    def reload(self) -> None:
        """Have every process of it start anew with the configuration and tables of now."""
        self.postfix("reload")

    def queued(self) -> int:
        """How many messages wait in its queue."""
        queues = (self.directory / "spool" / name for name in ("incoming", "active", "deferred"))
        return sum(1 for queue in queues for found in queue.rglob("*") if found.is_file())


@contextmanager
def run_postfix(
    site: Site, directory: Path, *, listen: str, parameters: Mapping[str, str], services: Sequence[str] = ()
) -> Iterator[Mta]:
    """Postfix that listens on an address of the site; `services` are more lines of master.cf."""
    postfix, postconf = require("postfix"), require("postconf")
    configuration = directory / "etc"
    configuration.mkdir(parents=True)
    shutil.copy("/usr/share/postfix/main.cf.dist", directory / "main.cf.dist")
    for name in ("spool", "data"):
        (directory / name).mkdir()
    shutil.chown(directory / "data", "postfix", "postfix")
    given = {
        **_COMMON,
        "queue_directory": str(directory / "spool"),
        "data_directory": str(directory / "data"),
        "maillog_file": str(directory / "mail.log"),
        "maillog_file_prefixes": str(directory),
        "inet_interfaces": listen,
        "smtp_bind_address": listen,
        **parameters,
    }
    (configuration / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in given.items()))
    smtpd = f"{listen}:{SMTP_PORT} inet n - n - - smtpd\n"
    (configuration / "master.cf").write_text(smtpd + _SERVICES + "".join(f"{line}\n" for line in services))
    site.check(postfix, "-c", str(configuration), "check")
    daemons = site.check(postconf, "-c", str(configuration), "-h", "daemon_directory").strip()
    # a session of its own: at its end master signals the whole process group, which then is Postfix alone
    command = site.command("setsid", f"{daemons}/master", "-c", str(configuration), "-s", "-e", LIFE_SECONDS)
    output = directory / "output.log"
    with running(command, log=output, is_ready=lambda: site.is_listening(listen, SMTP_PORT)) as process:
        yield Mta(site, directory, process)
