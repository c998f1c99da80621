"""Certificates: the names that are read are those that the `cryptography` library reads; nothing hostile raises."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from reconciler.names import Name
from reconciler.observe.mta_sts import PolicyError, parse_policy, policy_id
from reconciler.observe.tls import certificate_names
from reconciler.state import Key, txt_rdata

KEY = ec.generate_private_key(ec.SECP256R1())
LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
NAMES = st.builds(
    lambda star, labels: star + ".".join(labels), st.sampled_from(["", "*."]), st.lists(LABELS, min_size=1, max_size=4)
)
COMMON_NAMES = NAMES.filter(lambda name: len(name) <= 64)  # RFC 5280, appendix A.1: ub-common-name
OTHERS = st.sampled_from(
    [
        x509.RFC822Name("a@acme.example"),
        x509.UniformResourceIdentifier("https://acme.example"),
        x509.RegisteredID(x509.ObjectIdentifier("2.5.29.17")),
    ]
)


def certificate(alternatives: list[x509.GeneralName] | None, common_name: str, *, critical: bool = False) -> bytes:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme, Inc."),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(issuer, subject, KEY.public_key(), 1, start, start + dt.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if alternatives is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@given(
    names=st.lists(NAMES.map(x509.DNSName), min_size=1, max_size=150),
    others=st.lists(OTHERS, max_size=2),
    critical=st.booleans(),
)
def test_dns_names_are_those_of_the_alternative_names(
    names: list[x509.GeneralName], others: list[x509.GeneralName], *, critical: bool
) -> None:
    der = certificate([*others, *names], "cn.example", critical=critical)
    loaded = x509.load_der_x509_certificate(der)
    extension = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    expected = dict.fromkeys(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    assert certificate_names(der) == tuple(expected)


@given(COMMON_NAMES, st.none() | st.lists(OTHERS, min_size=1, max_size=2))
def test_common_name_counts_where_there_is_no_other(name: str, others: list[x509.GeneralName] | None) -> None:
    assert certificate_names(certificate(others, name)) == (name.lower(),)


@given(st.binary(max_size=400))
def test_octets_that_are_no_certificate_have_no_names(octets: bytes) -> None:
    assert certificate_names(octets) == ()


SAMPLE = certificate([x509.DNSName("mail.acme.example"), x509.DNSName("*.acme.example")], "cn.example")


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255), st.integers(0, len(SAMPLE)))
def test_damaged_certificates_do_not_raise(place: int, octet: int, end: int) -> None:
    damaged = bytearray(SAMPLE)
    damaged[place] = octet
    for name in (*certificate_names(bytes(damaged)), *certificate_names(bytes(damaged[:end]))):
        assert name
        assert name.isprintable()


@given(st.text(max_size=400))
def test_text_that_is_no_policy_is_told_and_nothing_else_happens(text: str) -> None:
    for candidate in (text, f"version: STSv1\nmode: none\nmax_age: 1\n{text}"):
        try:
            policy = parse_policy("1", candidate)
        except PolicyError as exc:
            assert str(exc).isprintable()  # noqa: PT017 - most texts raise, and those that do not are fine too
        else:
            assert policy.mode in {"enforce", "testing", "none"}


@given(st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True))
def test_any_id_is_read(record_id: str) -> None:
    key = Key(Name("_mta-sts.acme.example."), "TXT")
    assert policy_id(key, [txt_rdata(f"v=STSv1; id={record_id};")]) == record_id
