"""Settings: defaults, paths beside the file, octoDNS's blocks word for word, and every error with its place."""

from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.settings import DnsSettings, Settings, ZonefileSettings, load_settings


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "reconciler.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, required=True)


def refused(tmp_path: Path, text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert all(d.file == str(tmp_path / "reconciler.yaml") and d.detail for d in caught.value.diagnostics)
    return [(d.code, d.line, d.column) for d in caught.value.diagnostics]


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "reconciler.yaml", required=False)
    assert settings.observe == DnsSettings()
    assert (settings.default_provider, dict(settings.providers), dict(settings.secret_handlers)) == ("manual", {}, {})
    assert (settings.catalog, settings.templates) == (None, None)
    assert (settings.plan_expires_hours, settings.new_rrset_ttl) == (24, 3600)
    assert settings.state_directory == tmp_path / ".reconciler"
    written = load(tmp_path, "{}\n")
    assert written.digest != settings.digest
    assert all(getattr(written, n) == getattr(settings, n) for n in Settings._fields if n != "digest")


def test_a_required_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "gone.yaml", required=True)
    with pytest.raises(SettingsError, match="Is a directory"):
        load_settings(tmp_path, required=False)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = "observe: {zonefiles: zones/}\ncatalog: ../mine.yaml\ntemplates: /srv/templates\nstate_directory: state\n"
    settings = load(tmp_path, text)
    assert settings.observe == ZonefileSettings(tmp_path / "zones", ".zone")
    assert settings.catalog == tmp_path / "../mine.yaml"
    assert settings.templates == Path("/srv/templates")
    assert settings.state_directory == tmp_path / "state"


def test_zone_files_may_name_their_extension(tmp_path: Path) -> None:
    settings = load(tmp_path, 'observe: {zonefiles: {directory: zones, extension: ""}}\n')
    assert settings.observe == ZonefileSettings(tmp_path / "zones", "")


@pytest.mark.parametrize("text", ["observe: {}\n", "observe: {dns: {}}\n"])
def test_live_dns_is_the_default(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).observe == DnsSettings()


def test_dns_takes_all_its_numbers(tmp_path: Path) -> None:
    numbers = "timeout: 1, attempts: 2, in_flight: 50, per_server: 7, rate: 0.5"
    text = f"observe: {{dns: {{{numbers}, resolvers: [9.9.9.9]}}}}\n"
    expected = DnsSettings((), (("9.9.9.9", 53),), 1.0, 2, 50, per_server=7, rate=0.5)
    assert load(tmp_path, text).observe == expected


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5300", ("127.0.0.1", 5300)),
        ("[::1]:53", ("::1", 53)),
        ("[2001:DB8::1]:5300", ("2001:db8::1", 5300)),
        ("[::1]", ("::1", 53)),
        ("::1", ("::1", 53)),
        ("ns1.acme.example", ("ns1.acme.example", 53)),
        ("ns1.acme.example:5300", ("ns1.acme.example", 5300)),
    ],
)
def test_servers(tmp_path: Path, written: str, server: tuple[str, int]) -> None:
    observe = load(tmp_path, f'observe: {{dns: {{servers: ["{written}"]}}}}\n').observe
    assert isinstance(observe, DnsSettings)
    assert observe.servers == (server,)


@pytest.mark.parametrize(
    "written",
    ["", ":53", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[::1", "[::1]x:53", "[acme]:53"],
)
def test_what_is_no_server(tmp_path: Path, written: str) -> None:
    assert refused(tmp_path, f'observe: {{dns: {{servers: ["{written}"]}}}}\n') == [("server", 1, 27)]


@pytest.mark.parametrize("written", ["256.0.0.1", "1.2.3:53", "::1::2", "127.0.0.1:\\u0665\\u0663", "127.0.0.1:053000"])
def test_what_is_nearly_a_server(tmp_path: Path, written: str) -> None:
    assert [code for code, *_ in refused(tmp_path, f'observe: {{dns: {{servers: ["{written}"]}}}}\n')] == ["server"]


def test_provider_blocks_are_octodns_own_and_secrets_stay_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSIG_SECRET", "resolved")
    text = """\
default_provider: bind
providers:
  bind: {class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: 5300, key_secret: env/TSIG_SECRET, ipv6: false}
secret_handlers:
  vault: {class: my.Handler, nested: {list: [1, a, null]}}
"""
    settings = load(tmp_path, text)
    assert settings.providers == {
        "bind": {
            "class": "octodns_bind.Rfc2136Provider",
            "host": "127.0.0.1",
            "port": 5300,
            "key_secret": "env/TSIG_SECRET",
            "ipv6": False,
        }
    }
    assert settings.secret_handlers == {"vault": {"class": "my.Handler", "nested": {"list": [1, "a", None]}}}
    assert "TSIG_SECRET" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("obsrve: {}\n", [("unknown-key", 1, 1)]),
        ("jurnal: sqlite:///x\n", [("unknown-key", 1, 1)]),
        ("observe: {dns: {server: [a]}}\n", [("unknown-key", 1, 17)]),
        ("observe: {dns: {}, zonefiles: zones}\n", [("observe", 1, 20)]),
        ("observe:\n  zonefiles:\n", [("wrong-type", 2, 13)]),
        ("observe: {zonefiles: 7}\n", [("wrong-type", 1, 22)]),
        ('observe: {zonefiles: ""}\n', [("path", 1, 11)]),
        ("observe: {zonefiles: {directory: z, extension: ../x}}\n", [("extension", 1, 48)]),
        ("observe: {dns: {timeout: 0}}\n", [("wrong-value", 1, 26)]),
        ("observe: {dns: {timeout: .nan}}\n", [("wrong-value", 1, 26)]),
        ("observe: {dns: {in_flight: 100000}}\n", [("wrong-value", 1, 28)]),
        ("observe: {dns: {rate: 0}}\n", [("wrong-value", 1, 23)]),
        ("default_provider: bnd\nproviders: {bind: {class: a.B}}\n", [("default-provider", 1, 1)]),
        ("providers:\n  manual: {class: a.B}\n", [("provider-name", 2, 3)]),
        ("providers: {bind: {}}\n", [("provider-class", 1, 13)]),
        ("providers: {bind: {class: 1}}\n", [("provider-class", 1, 13)]),
        ("providers: {bind: a.B}\n", [("wrong-type", 1, 19)]),
        ("secret_handlers: {vault: {key: x}}\n", [("provider-class", 1, 19)]),
        ("plan_expires_hours: 0\nnew_rrset_ttl: 59\n", [("wrong-value", 1, 21), ("wrong-value", 2, 16)]),
        ("catalog:\n", [("wrong-type", 1, 9)]),
        ("providers: &x {bind: {class: a.B}}\nsecret_handlers: *x\n", [("yaml-anchor", 1, 12), ("yaml-alias", 2, 18)]),
        ("- a\n", [("wrong-type", 1, 1)]),
        ("# all commented out\n", [("yaml-empty", 1, 1)]),
        ("a: [\n", [("yaml-syntax", 2, 1)]),
    ],
)
def test_refuses_with_the_place(tmp_path: Path, text: str, expected: list[tuple[str, int, int]]) -> None:
    assert refused(tmp_path, text) == expected


def test_a_secret_in_the_place_of_a_block_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "providers: {bind: hunter2}\nsecret_handlers: hunter2\n")
    assert len(caught.value.diagnostics) == 2
    assert "hunter2" not in str(caught.value.diagnostics)


def test_names_the_nearest_key_and_provider(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "default-provider: bind\n")
    assert "Did you mean `default_provider`?" in caught.value.diagnostics[0].detail
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "default_provider: bnd\nproviders: {bind: {class: a.B}}\n")
    assert "Did you mean `bind`?" in caught.value.diagnostics[0].detail


@pytest.mark.parametrize(
    "value",
    [
        "no",
        "Off",
        "YES",
        "on",
        "053",
        "0o17",
        "1e3",
        "1_000",
        "12:30",
        "0b11",
        "2026-11-21",
        "2026-02-30",
        "=",
        "[a, no]",
    ],
)
def test_what_octodns_would_read_otherwise_is_refused_without_its_value(tmp_path: Path, value: str) -> None:
    text = f"providers:\n  aws:\n    class: a.B\n    private: {value}\n"
    assert refused(tmp_path, text) == [("yaml-dialect", 4, 18 if value.startswith("[") else 14)]
    handler = f"secret_handlers:\n  vault:\n    class: a.B\n    nested:\n      password: {value}\n"
    with pytest.raises(SettingsError, match="`password` of `vault`") as caught:
        load(tmp_path, handler)
    assert "53" not in str(caught.value)


def test_a_key_that_octodns_would_read_otherwise_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "providers: {p: {class: a.B, on: true}}\n") == [("yaml-dialect", 1, 29)]


def test_what_octodns_cannot_read_at_all_is_refused_where_it_stands(tmp_path: Path) -> None:
    """YAML lets a tab stand between tokens, and PyYAML does not."""
    assert refused(tmp_path, "providers: {p: {class: a.B\t}}\n") == [("yaml-dialect", 1, 27)]


def test_what_both_read_alike_stands_word_for_word(tmp_path: Path) -> None:
    block = (
        "{class: a.B, a: 'no', b: \"053\", c: true, d: 53, e: 2.5, f: null, g: [x, 1], h: {i: -1}, j: y, k: 127.0.0.1,"
        " l: env/N, m: +SoMe/Base64==, n: FALSE, o: 0, p: ~, q: '2026-11-21', r: é}"
    )
    settings = load(tmp_path, f"default_provider: p\nproviders: {{p: {block}}}\n")
    assert settings.providers["p"]["a"] == "no"
    assert settings.providers["p"]["r"] == "é"


def test_outside_of_the_blocks_yaml_1_2_alone_counts(tmp_path: Path) -> None:
    assert load(tmp_path, "state_directory: no\nproviders: {p: {class: a.B}}\n").state_directory == tmp_path / "no"


def test_a_key_of_the_users_own_is_not_described_as_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "providers:\n  catalog:\nlock:\n")
    own, ours = caught.value.diagnostics
    assert (own.line, own.detail) == (2, "Write a mapping of keys to values, or remove the key where none is needed.")
    assert (ours.line, ours.detail) == (
        3,
        "One run writes at a time. Write a value, or remove the key where none is needed.",
    )
