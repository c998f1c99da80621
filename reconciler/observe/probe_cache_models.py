"""The file in which good results of probes are kept: its models. Nothing beyond them is taken from a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MAX_NAMES = 100  # of a certificate; a server with more is looked at again

# of a certificate: printable ASCII in lower case, as `certificate_names` gives them
_CertificateName = Annotated[str, StringConstraints(pattern=r"\A[ -@\[-~]+\z", max_length=1000)]
_Digest = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]


class _Kept(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Asked(_Kept):
    """What was asked: a host at its port, at the addresses that it resolved to, A before AAAA.

    `record_id` is that of the TXT record at `_mta-sts`, empty for mail servers; `how` the digest of what else decides
    the answer: the name in EHLO and the trusted roots.
    """

    kind: str
    host: str
    port: int
    addresses: tuple[str, ...]
    record_id: str
    how: _Digest


class KeptMailServer(_Kept):
    """A mail server with good TLS: `size` in octets as in `SmtpSight`."""

    asked: Asked
    seen_at: AwareDatetime
    size: Annotated[int, Field(ge=0, lt=10**20)] | None
    version: Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    names: Annotated[tuple[_CertificateName, ...], Field(max_length=MAX_NAMES)]


class KeptPolicy(_Kept):
    """The text of an MTA-STS policy."""

    asked: Asked
    seen_at: AwareDatetime
    text: str


class KeptFile(_Kept):
    """Everything."""

    format_version: Literal["1"] = "1"
    kind: Literal["probes"] = "probes"
    mail_servers: tuple[KeptMailServer, ...]
    policies: tuple[KeptPolicy, ...]
