"""From files to a fleet: what each level says holds below it, which files are read, and what is refused."""

import gc
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from reconciler.catalog import load_catalog
from reconciler.errors import ManifestError, Severity
from reconciler.manifest.files import ManifestFile, read_octets
from reconciler.manifest.fleet import Domain, Fleet, Source
from reconciler.manifest.load import load_manifests, validate_paths

CATALOG = load_catalog()
TODAY = date(2026, 11, 21)


def manifest(name: str = "acme", *, top: str = "", service: str = "", domain: str = "", mail_domain: str = "") -> str:
    """One organization with one service and one domain; each argument is lines of YAML for one level."""

    def lines(text: str, indent: str) -> str:
        return "".join(f"{indent}{line}\n" for line in text.splitlines())

    return (
        f"organization: {name}\nregion: us\nescalation_contacts: [secops@{name}.example]\n{lines(top, '')}"
        f"services:\n  - name: hq\n    kind: exchange\n{lines(service, '    ')}    domains:\n"
        f"      - name: {mail_domain or f'{name}.example'}\n        next_hops: [mail.{name}.example]\n"
        f"        verification: {{primary: one-{name}, secondary: two-{name}}}\n{lines(domain, '        ')}"
    )


def write(directory: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def load(directory: Path) -> Fleet:
    fleet, diagnostics = load_manifests(directory, catalog=CATALOG, today=TODAY)
    assert diagnostics == []
    return fleet


def only_domain(tmp_path: Path, text: str) -> Domain:
    (domain,) = load(write(tmp_path, {"acme.yaml": text})).domains
    return domain


def refused(directory: Path) -> list[tuple[str, str]]:
    with pytest.raises(ManifestError) as caught:
        load_manifests(directory, catalog=CATALOG, today=TODAY)
    return [(d.code, d.file) for d in caught.value.diagnostics]


def test_a_domain_carries_all_that_was_said(tmp_path: Path) -> None:
    text = manifest(
        top="multi_region: true\nprovider: bind\nttl: 300\nmx_host: {value: MX.Vendor.example, reason: support says}",
        mail_domain="Bücher.example",
        domain="zone: example",
    )
    domain = only_domain(tmp_path, text)
    assert (domain.name, domain.written) == ("xn--bcher-kva.example.", "Bücher.example")
    assert (domain.organization, domain.service, domain.kind, domain.connection) == ("acme", "hq", "exchange", "mx")
    assert (domain.region, domain.multi_region, domain.provider, domain.ttl) == ("us", True, "bind", 300)
    assert (domain.next_hops, domain.zone, domain.mx_exclusive) == (("mail.acme.example.",), "example.", True)
    assert (domain.verification.primary, domain.verification.secondary) == ("one-acme", "two-acme")
    assert domain.mx_host is not None
    assert (domain.mx_host.host, domain.mx_host.reason) == ("mx.vendor.example.", "support says")
    assert domain.source == Source(f"{tmp_path}/acme.yaml", 12)


def test_a_domain_carries_how_it_leaves_and_what_is_let_be(tmp_path: Path) -> None:
    said = "switch_ttl: 60\nlifecycle: offboarded\nmx: {exclusive: false}"
    rule = "{finding: ttl, resource: MX, owner: ops@acme.example, reason: known, expires: 2027-01-01}"
    domain = only_domain(tmp_path, manifest(domain=f"{said}\nignore_drift:\n  - {rule}"))
    assert (domain.ttl, domain.switch_ttl, domain.is_leaving, domain.mx_exclusive) == (None, 60, True, False)
    (let_be,) = domain.ignore_drift
    assert (let_be.finding, let_be.resource, let_be.owner, let_be.reason) == ("ttl", "MX", "ops@acme.example", "known")
    assert (let_be.expires, let_be.source.line) == (date(2027, 1, 1), 15)


def test_equal_lists_of_next_hops_are_one_and_a_bad_one_is_said_for_each_domain(tmp_path: Path) -> None:
    second = "      - {name: b.example, next_hops: [mail.acme.example], verification: {primary: x, secondary: y}}"
    one, other = load(write(tmp_path, {"acme.yaml": f"{manifest()}{second}"})).domains
    assert one.next_hops is other.next_hops
    bad = f"{manifest()}{second}".replace("[mail.acme.example]", "[mail.acme.example, 192.0.2.1]")
    assert [code for code, _ in refused(write(tmp_path, {"acme.yaml": bad}))] == ["next-hop-address"] * 2


def test_what_is_left_out_is_none(tmp_path: Path) -> None:
    domain = only_domain(tmp_path, manifest())
    assert (domain.provider, domain.ttl, domain.zone, domain.mx_host) == (None, None, None, None)
    assert (domain.attestations, domain.waivers, domain.multi_region, domain.mx_exclusive) == ((), (), False, True)


@pytest.mark.parametrize("key", ["provider", "ttl", "mx"])
def test_the_closest_word_holds(tmp_path: Path, key: str) -> None:
    values = {"provider": ("top", "middle", "close"), "ttl": (100, 200, 300), "mx": (False, True, False)}[key]
    said = [f"{key}: " + (f"{{exclusive: {str(v).lower()}}}" if key == "mx" else str(v)) for v in values]
    attribute = "mx_exclusive" if key == "mx" else key
    levels: list[dict[str, str]] = [{"top": said[0]}, {"service": said[1]}, {"domain": said[2]}]
    spoken: dict[str, str] = {}
    for level, value in zip(levels, values, strict=True):
        spoken |= level
        assert getattr(only_domain(tmp_path, manifest(**spoken)), attribute) == value


def test_attestations_and_waivers_of_all_levels_hold_the_closest_first(tmp_path: Path) -> None:
    def said(by: str) -> str:
        return (
            f"attestations: [{{what: allowlist, by: {by}, on: 2026-11-21, region: eu, multi_region: true}}]\n"
            f"waivers: [{{gate: allowlist, owner: {by}, reason: known, expires: 2026-11-21}}]"
        )

    domain = only_domain(tmp_path, manifest(top=said("top"), service=said("middle"), domain=said("close")))
    assert [a.by for a in domain.attestations] == [w.owner for w in domain.waivers] == ["close", "middle", "top"]
    close = domain.attestations[0]
    assert (close.what, close.on, close.expires, close.region, close.multi_region) == (
        "allowlist",
        TODAY,
        None,
        "eu",
        True,
    )


@pytest.mark.parametrize("level", ["top", "service", "domain"])
def test_residency_may_be_waived_at_any_level(tmp_path: Path, level: str) -> None:
    waiver = "waivers: [{gate: residency, owner: dpo@acme.example, reason: board, expires: 2026-11-21}]"
    said = {"top": "multi_region: true\n"}
    text = manifest(**{**said, level: said.get(level, "") + waiver}).replace("region: us", "region: eu")
    assert only_domain(tmp_path, text).multi_region


def test_a_next_hop_may_be_the_domain_itself(tmp_path: Path) -> None:
    text = manifest().replace("mail.acme.example", "acme.example")
    assert only_domain(tmp_path, text).next_hops == ("acme.example.",)


@pytest.mark.parametrize("connection", ["api", "journaling"])
def test_other_connections_need_neither_next_hop_nor_tokens(tmp_path: Path, connection: str) -> None:
    text = (
        "organization: acme\nregion: us\nescalation_contacts: [a@acme.example]\nservices:\n  - name: m365\n"
        f"    kind: microsoft-365\n    connection: {connection}\n    domains: [{{name: acme.example}}]\n"
    )
    domain = only_domain(tmp_path, text)
    assert not domain.is_filtered_by_mx
    assert (domain.next_hops, domain.verification.primary) == ((), None)


def test_advisories_are_returned_and_an_override_silences_them(tmp_path: Path) -> None:
    text = manifest().replace("region: us", "region: au")
    write(tmp_path, {"acme.yaml": f"# first\n{text}"})
    _, diagnostics = load_manifests(tmp_path, catalog=CATALOG, today=TODAY)
    assert [(d.severity, d.code, d.line) for d in diagnostics] == [(Severity.ADVISORY, "au-mx-host", 2)]
    override = manifest(top="mx_host: {value: mx.vendor.example, reason: support}").replace("region: us", "region: au")
    assert only_domain(tmp_path, override).region == "au"


def test_known_gates_can_be_widened(tmp_path: Path) -> None:
    waiver = "waivers: [{gate: house-rule, owner: o, reason: r, expires: 2027-01-01}]"
    write(tmp_path, {"acme.yaml": manifest(domain=waiver)})
    assert refused(tmp_path) == [("unknown-gate", f"{tmp_path}/acme.yaml")]
    fleet, _ = load_manifests(tmp_path, catalog=CATALOG, today=TODAY, known_gates=frozenset({"house-rule"}))
    assert fleet.domains[0].waivers[0].gate == "house-rule"


def test_a_refused_waiver_is_not_held_against_the_gates(tmp_path: Path) -> None:
    write(tmp_path, {"acme.yaml": manifest(domain="waivers: [{gate: mta-sts, owner: o, reason: r, expires: never}]")})
    with pytest.raises(ManifestError) as caught:
        load_manifests(tmp_path, catalog=CATALOG, today=TODAY, known_gates=frozenset({"mta-sts"}))
    assert [d.code for d in caught.value.diagnostics] == ["date"]


def test_reads_yaml_below_the_directory_in_the_order_of_paths(tmp_path: Path) -> None:
    names = {"b.yaml": "bb", "a/z.yml": "az", "a.yaml": "aa", "a/deep/er.YAML": "deep"}
    files = {path: manifest(name) for path, name in names.items()}
    others = {"README.md": "no", "c.json": "{}", ".hidden.yaml": "[", ".git/x.yaml": "[", "d.yaml.bak": "["}
    fleet = load(write(tmp_path, {**files, **others}))
    assert [o.name for o in fleet.organizations] == ["aa", "deep", "az", "bb"]


def test_the_digest_is_of_paths_and_octets(tmp_path: Path) -> None:
    one = load(write(tmp_path / "one", {"a.yaml": manifest("a"), "b.yaml": manifest("b")})).digest
    same = load(write(tmp_path / "two", {"b.yaml": manifest("b"), "a.yaml": manifest("a")})).digest
    assert one == same
    assert one.startswith("sha256:")
    assert len(one) == len("sha256:") + 64
    renamed = load(write(tmp_path / "three", {"a.yaml": manifest("a"), "c.yaml": manifest("b")})).digest
    commented = load(write(tmp_path / "four", {"a.yaml": manifest("a"), "b.yaml": manifest("b") + "# x\n"})).digest
    assert len({one, renamed, commented}) == 3


def test_nothing_is_planned_from_nothing(tmp_path: Path) -> None:
    assert refused(tmp_path) == [("no-manifests", str(tmp_path))]
    assert refused(tmp_path / "gone") == [("manifests-missing", str(tmp_path / "gone"))]
    file = tmp_path / "file"
    file.write_text(manifest(), encoding="utf-8")
    assert refused(file) == [("manifests-missing", str(file))]
    empty = manifest().split("    domains:", maxsplit=1)[0] + "    domains: []\n"
    assert refused(write(tmp_path / "tree", {"a.yaml": empty})) == [("no-domains", str(tmp_path / "tree"))]


def test_links_may_lead_to_files_of_the_tree_alone(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.yaml": manifest("secret")})
    tree = write(tmp_path / "tree", {"..data/acme.yaml": manifest()})
    (tree / "acme.yaml").symlink_to("..data/acme.yaml")  # as a mounted ConfigMap has it
    assert [d.written for d in load(tree).domains] == ["acme.example"]
    (tree / "x.yaml").symlink_to(outside / "secret.yaml")
    (tree / "folder").symlink_to(outside)
    (tree / "loop.yaml").symlink_to("loop.yaml")
    assert refused(tree) == [
        ("symlink", f"{tree}/folder"),
        ("manifest-unreadable", f"{tree}/loop.yaml"),
        ("symlink", f"{tree}/x.yaml"),
    ]


def test_devices_and_names_that_cannot_be_shown_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    write(tmp_path, {"a\n\x1b[2J.yaml": manifest()})
    assert refused(tmp_path) == [
        ("file-name", f"{tmp_path}/a\\n\\x1b[2J.yaml"),
        ("manifest-unreadable", f"{tmp_path}/pipe.yaml"),
    ]


def test_a_file_that_cannot_be_read_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    write(tmp_path, {"a.yaml": manifest(), "b.yaml": "x: 1\n", "c/d.yaml": manifest("d")})
    (tmp_path / "a.yaml").chmod(0)
    (tmp_path / "c").chmod(0)
    codes = [code for code, _ in refused(tmp_path)]
    (tmp_path / "c").chmod(0o700)
    assert codes.count("manifest-unreadable") == 2
    assert "unknown-key" in codes


def test_a_file_that_vanishes_is_said(tmp_path: Path) -> None:
    octets, said = read_octets(ManifestFile("manifests/gone.yaml", "gone.yaml", tmp_path / "gone.yaml"))
    assert octets == b""
    assert said is not None
    assert (said.code, said.file) == ("manifest-unreadable", "manifests/gone.yaml")


def test_an_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as stream:
        stream.truncate(1 << 33)  # sparse: reading it whole would need the memory
    assert refused(tmp_path) == [("yaml-size", f"{tmp_path}/big.yaml")]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, *, enabled: bool) -> None:
    write(tmp_path / "bad", {"a.yaml": "["})
    try:
        (gc.enable if enabled else gc.disable)()
        refused(tmp_path / "bad")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def validated(*paths: Path) -> list[str]:
    fleet, _ = validate_paths(paths, catalog=CATALOG, today=TODAY)
    return [o.name for o in fleet.organizations]


def test_validate_takes_files_and_directories_each_file_once(tmp_path: Path) -> None:
    write(tmp_path, {"a/a.yaml": manifest("a"), "b.txt": manifest("b"), "c.yaml": manifest("c")})
    assert validated(tmp_path / "b.txt") == ["b"]
    assert validated(tmp_path / "b.txt", tmp_path / "a", tmp_path / "a" / "a.yaml", tmp_path / "c.yaml") == [
        "a",
        "b",
        "c",
    ]


def test_validate_holds_rules_across_what_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.yaml": manifest("x"), "b/x.yaml": manifest("x")})
    assert validated(tmp_path / "a") == validated(tmp_path / "b") == ["x"]
    with pytest.raises(ManifestError) as caught:
        validated(tmp_path / "b", tmp_path / "a")
    assert [d.code for d in caught.value.diagnostics] == ["duplicate-organization", "duplicate-domain"]
    with pytest.raises(ManifestError, match="no such file"):
        validated(tmp_path / "gone.yaml")
    with pytest.raises(ManifestError, match="no manifest"):
        validated()
