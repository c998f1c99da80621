"""Provider blocks as octoDNS has them: classes, keywords, secrets, and errors that say what to do."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from octodns.provider.base import BaseProvider

from reconciler.apply import ApplyError, ProviderConfigError, StaleError, ZoneWriter
from reconciler.apply.providers import RedactingWriter, build_writer
from reconciler.apply.rfc2136 import Rfc2136Writer
from reconciler.apply.zonefile import ZonefileWriter
from reconciler.names import Name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.diff import Change

SECRET = "c2VjcmV0IG9mIHRoZSBrZXk="  # noqa: S105 - an example's
ZONE = Name("acme.example.")


class RecordingProvider(BaseProvider):  # type: ignore[misc]
    """A provider that keeps the keywords that it was made with."""

    SUPPORTS_GEO = False
    SUPPORTS = frozenset({"TXT"})
    made: ClassVar[list[dict[str, object]]] = []
    log = logging.getLogger("recording")

    def __init__(self, provider_id: str, **keywords: object) -> None:
        """Keep the keywords, or fail with all of them in the message."""
        RecordingProvider.made.append(keywords)
        if keywords.get("explode"):
            raise ValueError(f"cannot use {keywords}")  # noqa: EM102
        super().__init__(provider_id)


class VaultSecrets:
    """A secret handler."""

    def __init__(self, name: str, prefix: str = "") -> None:
        """Keep what comes before every secret."""
        self.name = name
        self.prefix = prefix

    def fetch(self, name: str, source: object) -> str:
        """The secret, unless it is called `missing`."""
        if name == "missing":
            raise KeyError(f"{self.prefix} is sealed, asked by {getattr(source, 'context', '')}")  # noqa: EM102
        return f"{self.prefix}{name}"


RECORDING = f"{__name__}.RecordingProvider"
VAULT: dict[str, dict[str, object]] = {"vault": {"class": f"{__name__}.VaultSecrets", "prefix": "env/VAULT_PREFIX"}}


def inner(writer: ZoneWriter) -> ZoneWriter:
    assert isinstance(writer, RedactingWriter)
    return writer.inner


def keywords_of(block: dict[str, object], handlers: dict[str, dict[str, object]] | None = None) -> dict[str, object]:
    RecordingProvider.made.clear()
    build_writer("p", {"class": RECORDING, **block}, handlers or {})
    kept: list[dict[str, object]] = RecordingProvider.made
    return kept[0]


def test_each_class_has_its_most_exact_writer() -> None:
    rfc2136 = build_writer("b", {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1"}, {})
    assert isinstance(inner(rfc2136), Rfc2136Writer)
    alias = build_writer("b", {"class": "octodns_bind.BindProvider", "host": "127.0.0.1"}, {})
    assert isinstance(inner(alias), Rfc2136Writer)
    files = build_writer("f", {"class": "octodns_bind.ZoneFileProvider", "directory": "zones"}, {})
    assert isinstance(inner(files), ZonefileWriter)
    powerdns = {"class": "octodns_powerdns.PowerDnsProvider", "host": "127.0.0.1", "api_key": "k"}
    assert type(inner(build_writer("p", powerdns, {}))).__name__ == "PowerDnsWriter"
    route53 = {"class": "octodns_route53.Route53Provider", "access_key_id": "a", "secret_access_key": "s"}
    assert type(inner(build_writer("r", route53, {}))).__name__ == "Route53Writer"
    other = {"class": "octodns.provider.yaml.YamlProvider", "directory": "config"}
    assert type(inner(build_writer("y", other, {}))).__name__ == "OverlayWriter"


def test_keywords_and_environment_are_octodns_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PORT", "5300")
    monkeypatch.setenv("A_TIMEOUT", "1.5")
    monkeypatch.setenv("A_HOST", "ns.example.net")
    made = keywords_of(
        {
            "port": "env/A_PORT",
            "timeout": "env/A_TIMEOUT",
            "nested": {"host": "env/A_HOST", "deeper": {"port": "env/A_PORT"}},
            "listed": ["env/A_HOST"],
            "fallback": "env/NOT_SET_ANYWHERE/eu-west-1",
            "numeric_fallback": "env/NOT_SET_ANYWHERE/8",
            "path": "some/path/with/slashes",
            "flag": True,
        }
    )
    assert made == {
        "port": 5300,
        "timeout": 1.5,
        "nested": {"host": "ns.example.net", "deeper": {"port": 5300}},
        "listed": ["env/A_HOST"],
        "fallback": "eu-west-1",
        "numeric_fallback": 8,
        "path": "some/path/with/slashes",
        "flag": True,
    }


@pytest.mark.parametrize("keyword", ["key_secret", "api_key", "password", "token", "secret_access_key", "key"])
@pytest.mark.parametrize("secret", ["0123456789", "12.50", "1_000", "007/8"])
def test_a_credential_that_looks_like_a_number_stays_text(
    monkeypatch: pytest.MonkeyPatch, keyword: str, secret: str
) -> None:
    monkeypatch.setenv("A_SECRET", secret)
    assert keywords_of({keyword: "env/A_SECRET"}) == {keyword: secret}
    assert keywords_of({keyword: f"env/NOT_SET_ANYWHERE/{secret}"}) == {keyword: secret}


def test_a_variable_that_is_not_set_is_named_with_its_provider(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProviderConfigError) as caught:
        build_writer("bind", {"class": RECORDING, "key_secret": "env/NOT_SET_ANYWHERE"}, {})
    assert "NOT_SET_ANYWHERE" in str(caught.value)
    assert "'bind'" in str(caught.value)
    assert "key_secret" in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_configured_secret_handlers_are_made_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keywords_of({"host": "ns"}, VAULT) == {"host": "ns"}
    with pytest.raises(ProviderConfigError, match=r"VAULT_PREFIX.*not set"):
        build_writer("p", {"class": RECORDING, "host": "vault/x"}, VAULT)
    monkeypatch.setenv("VAULT_PREFIX", "pre-")
    assert keywords_of({"host": "vault/a/b"}, VAULT) == {"host": "pre-a/b"}
    with pytest.raises(ProviderConfigError) as caught:
        build_writer("p", {"class": RECORDING, "host": "vault/missing"}, VAULT)
    assert "'vault'" in str(caught.value)
    assert "pre-" not in str(caught.value)


def test_a_handler_called_env_replaces_octodns_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "from the environment")
    handlers: dict[str, dict[str, object]] = {"env": {"class": f"{__name__}.VaultSecrets", "prefix": "own-"}}
    assert keywords_of({"token": "env/X"}, handlers) == {"token": "own-X"}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({}, "no class"),
        ({"class": 5}, "no class"),
        ({"class": "Rfc2136Provider"}, "no class"),
        ({"class": "octodns_nowhere.NowhereProvider"}, r"\.venv/bin/pip install octodns-nowhere.*lock of your own"),
        ({"class": "octodns_powerdns.nowhere.X"}, r"\.venv/bin/pip install --require-hashes -r \S+-extras\.lock"),
        ({"class": "octodns_bind.Nowhere"}, "octodns_bind has no Nowhere"),
        ({"class": "octodns_bind.listdir"}, "no class"),
        ({"class": "octodns_bind.AxfrSource", "host": "127.0.0.1"}, "cannot be written to"),
        ({"class": "pathlib.Path"}, "cannot be written to"),
        ({"class": "octodns_bind.ZoneFileProvider", "directory": [1]}, "TypeError"),
        ({"class": "octodns_bind.Rfc2136Provider"}, "host"),
        ({"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "nonsense": 1}, "nonsense"),
        ({"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "port": "dns"}, "ValueError"),
        ({"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "apply_disabled": True}, "apply_disabled"),
        (
            {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "key_name": "k", "key_secret": 12345},
            "TSIG key",
        ),
        ({"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "key_name": "k"}, "TSIG key"),
        (
            {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "key_name": "k", "key_secret": "?"},
            "TSIG key",
        ),
    ],
)
def test_what_is_wrong_with_a_block_is_one_sentence_with_the_provider_in_it(
    block: dict[str, object], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ProviderConfigError, match=said) as caught:
        build_writer("the-one", block, {})
    assert "'the-one'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_constructor_that_quotes_its_keywords_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", SECRET)
    block = {"class": RECORDING, "explode": True, "token": "env/A_SECRET", "nested": {"password": "hunter22"}}
    with pytest.raises(ProviderConfigError, match="cannot use") as caught:
        build_writer("p", block, {})
    assert SECRET not in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert caught.value.__context__ is None


def test_errors_of_a_writer_lose_the_secrets_and_keep_their_kind() -> None:
    class Leaking:
        def write(self, zone: Name, changes: Sequence[Change]) -> None:
            message = f"{zone} {len(changes)} refused for {SECRET}"
            raise StaleError(message)

    with pytest.raises(StaleError, match=r"acme.example. 0 refused for \(secret\)") as caught:
        RedactingWriter(Leaking(), lambda text: text.replace(SECRET, "(secret)")).write(ZONE, [])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_no_writer_foresaw_is_one_domains_failure_without_a_secret() -> None:
    """An API key with a character that HTTP cannot carry makes the client raise UnicodeEncodeError, for one."""

    class Surprising:
        def write(self, zone: Name, changes: Sequence[Change]) -> None:
            message = f"{zone} {len(changes)} no header can carry {SECRET}"
            raise UnicodeError(message)

    with pytest.raises(ApplyError, match=r"UnicodeError: .* carry \(secret\)") as caught:
        RedactingWriter(Surprising(), lambda text: text.replace(SECRET, "(secret)")).write(ZONE, [])
    assert caught.value.__suppress_context__


def test_a_secret_handler_of_another_kind_is_not_even_made(tmp_path: Path) -> None:
    handlers: dict[str, dict[str, object]] = {
        "touch made": {"class": "subprocess.Popen", "shell": True, "cwd": str(tmp_path)}
    }
    with pytest.raises(ProviderConfigError, match="no octoDNS secret handler"):
        build_writer("p", {"class": RECORDING, "token": "touch made/x"}, handlers)
    assert not list(tmp_path.iterdir())


def test_a_module_that_is_a_program_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_program.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ProviderConfigError, match="SystemExit"):
        build_writer("p", {"class": "a_program.Provider"}, {})


def test_a_code_of_one_error_alone_survives() -> None:
    class Leaking:
        def write(self, zone: Name, changes: Sequence[Change]) -> None:  # noqa: ARG002 - the protocol's
            error = ApplyError(f"delegated {SECRET}")
            error.code = "delegated"
            raise error

    with pytest.raises(ApplyError) as caught:
        RedactingWriter(Leaking(), lambda text: text.replace(SECRET, "(secret)")).write(ZONE, [])
    assert caught.value.code == "delegated"


def test_only_the_package_in_use_is_imported() -> None:
    program = (
        "import sys; from reconciler.apply.providers import build_writer; "
        "build_writer('b', {'class': 'octodns_bind.Rfc2136Provider', 'host': '127.0.0.1'}, {}); "
        "print(sorted({'boto3', 'octodns_route53', 'octodns_powerdns', 'octodns.manager'} & sys.modules.keys()))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        cwd=root,
        env=os.environ,
    )
    assert done.stdout == "[]\n"
