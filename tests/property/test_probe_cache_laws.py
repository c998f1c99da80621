"""Laws of what is kept of probes: what comes back is what was seen, or nothing; and nothing makes it raise."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.names import Name
from reconciler.observe.mta_sts import PolicyError, parse_policy
from reconciler.observe.probe_cache import ProbeCache
from reconciler.state import Cause, Unknown
from reconciler.surroundings import Smtp, SmtpRefusal, SmtpSight, TlsSight

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST, PORT = Name("mail.acme.example."), 25

NAMES = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), max_size=3).map(tuple)
VERSIONS = st.sampled_from(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "SSLv3", ""])
PROBLEMS = st.just("") | st.text(max_size=9)
TLS = st.builds(TlsSight, VERSIONS, NAMES, PROBLEMS)
SIZES = st.none() | st.integers(0, 10**20 - 1)
SEEN: st.SearchStrategy[Smtp] = (
    st.builds(SmtpSight, SIZES, st.none() | TLS, PROBLEMS)
    | st.builds(SmtpRefusal, st.text())
    | st.builds(Unknown, st.sampled_from(Cause), st.text())
)
ADDRESSES = st.lists(st.ip_addresses().map(str), max_size=3).map(tuple)
POLICIES = st.lists(
    st.sampled_from(["version: STSv1", "mode: none", "mode: enforce", "mx: *.acme.example", "max_age: 1", "x: \x7f é"])
).map("\n".join)


def cache_of(file: Path, *, minutes: float = 0) -> ProbeCache:
    cache = ProbeCache(file, timedelta(minutes=15), "0" * 64, lambda: NOON + timedelta(minutes=minutes))
    cache.read()
    return cache


def is_good(seen: Smtp) -> bool:
    """What nobody has to mend."""
    if not isinstance(seen, SmtpSight) or seen.tls is None or seen.tls_problem or seen.tls.problem:
        return False
    return seen.tls.version.startswith("TLSv1") and all(name == name.lower() for name in seen.tls.names)


@given(SEEN, ADDRESSES, st.floats(0, 20))
def test_what_comes_back_is_what_was_seen_or_nothing(seen: Smtp, addresses: tuple[str, ...], minutes: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probes.json"
        cache = cache_of(file)
        cache.keep_mail_server(HOST, PORT, addresses, seen)
        cache.write()
        found = cache_of(file, minutes=minutes).mail_server(HOST, PORT, addresses)
        assert (found is not None) == (is_good(seen) and timedelta(minutes=minutes) <= timedelta(minutes=15))
        if found is not None:
            assert found.age > timedelta()
            assert replace(found, age=timedelta()) == seen


@given(POLICIES, st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True))
def test_a_policy_comes_back_as_it_was_parsed(text: str, record_id: str) -> None:
    try:
        policy = parse_policy(record_id, text)
    except PolicyError:
        return  # such a one is never kept: the fetcher parses it before
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probes.json"
        cache = cache_of(file)
        cache.keep_policy(HOST, 443, (), record_id, text)
        cache.write()
        found = cache_of(file, minutes=1).policy(HOST, 443, (), record_id)
        assert found == replace(policy, age=timedelta(minutes=1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_octets_make_it_raise_or_be_believed(octets: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probes.json"
        file.write_bytes(octets)
        file.chmod(0o600)
        assert cache_of(file).mail_server(HOST, PORT, ()) is None


@given(st.sampled_from(["asked", "seen_at", "size", "version", "names"]), JSON)
def test_a_changed_value_is_read_as_it_stands_or_not_at_all(key: str, value: Any) -> None:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probes.json"
        cache = cache_of(file)
        cache.keep_mail_server(HOST, PORT, (), SmtpSight(5, TlsSight("TLSv1.3", ("mail.acme.example",))))
        cache.write()
        document = json.loads(file.read_bytes())
        document["mail_servers"][0][key] = value
        file.write_text(json.dumps(document))
        found = cache_of(file).mail_server(HOST, PORT, ())
        if found is not None:
            assert found.tls is not None
            shown = {"size": found.size, "version": found.tls.version, "names": list(found.tls.names)}
            assert shown[key] == value
