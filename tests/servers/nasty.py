"""A zone with every rdata type that a zone can hold, and TXT values that break careless programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
from dns.rdtypes.ANY.TXT import TXT

if TYPE_CHECKING:
    from collections.abc import Collection

_LONG = bytes(range(256)) * 17

_NASTY_STRINGS: tuple[tuple[bytes, ...], ...] = (
    (b"another vendor's token",),
    (b"back\\slash",),
    (b"trailing backslash\\",),
    (b"\\\\\\",),
    (b'"leading quote',),
    (b'a" "b',),
    (b'"',),
    (b"v=DMARC1; p=none; rua=mailto:x@example.net",),
    (b"escaped\\; semicolon",),
    (b"one", b"two", b"three"),
    (b"onetwo", b"three"),
    (b"x" * 255,),
    (b"y" * 255, b"y"),
    (b"z" * 254 + b"\\", b"\\"),
    (b"",),
    (b"", b"between empty strings", b""),
    (b"\xff\xfe not UTF-8 \x80",),
    ("z\u00fcrich \u2013 \u6f22\u5b57".encode(),),
    (b"\x00\x01\x07\x1b[31mred\x7f",),
    (b"line one\nline two\r\nline three",),
    (b"\\065\\255\\999\\1",),
    (b"  spaces around \t",),
    (b" ",),
    (b"$ORIGIN example.org. ( ; @",),
    (b"\\# 4 c0000201",),
    (b"::error::{{ 7 * 7 }} ${HOME} `id` <b>|</b> %s",),
    tuple(_LONG[i : i + 255] for i in range(0, len(_LONG), 255)),
)

NASTY_TXT: tuple[str, ...] = tuple(
    TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings).to_text() for strings in _NASTY_STRINGS
)
"""TXT rdatas in the presentation form that dnspython prints, all different from each other."""

_KEY = "AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LU"
_DIGEST = "2bb183af5f22588179a53b0a98631fad1a292118aabbccddeeff001122334455"

SAMPLES: dict[str, tuple[str, ...]] = {
    "A": ("192.0.2.1", "192.0.2.2"),
    "AAAA": ("2001:db8::1",),
    "AFSDB": ("1 afs.example.net.",),
    "AMTRELAY": ("10 0 1 203.0.113.15",),
    "APL": ("1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32",),
    "AVC": ('"app-name:WOLFGANG|app-class:OAM"',),
    "BRID": ("aGVsbG8gd29ybGQ=",),
    "CAA": ('0 issue "ca.example.net; policy=ev"', '128 iodef "mailto:sec@example.net"'),
    "CDNSKEY": (f"257 3 8 {_KEY}",),
    "CDS": (f"60485 8 2 {_DIGEST}",),
    "CERT": (f"1 65534 8 {_KEY}",),
    "CNAME": ("Target.Example.NET.",),
    "CSYNC": ("66 3 A NS AAAA",),
    "DHCID": ("AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",),
    "DLV": (f"60485 8 2 {_DIGEST}",),
    "DNAME": ("dname.example.net.",),
    "DS": (f"60485 8 2 {_DIGEST}",),
    "DSYNC": ("CDS NOTIFY 5353 scanner.example.net.",),
    "EUI48": ("00-00-5e-00-53-2a",),
    "EUI64": ("00-00-5e-ef-10-00-00-2a",),
    "GPOS": ("-22.6882 116.8652 250.0",),
    "HHIT": ("aGVsbG8gd29ybGQ=",),
    "HINFO": ('"Generic PC clone" "NetBSD-1.4; \\"quoted\\" \\\\"',),
    "HIP": ("2 200100107b1a74df365639cc39f1d578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cI rvs.example.net.",),
    "HTTPS": ("1 . alpn=h2,h3 ipv4hint=192.0.2.7",),
    "IPSECKEY": ("10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",),
    "ISDN": ('"150862028003217" "004"',),
    "KEY": (f"512 255 1 {_KEY}",),
    "KX": ("10 kx.example.net.",),
    "L32": ("10 10.1.2.0",),
    "L64": ("10 2001:0db8:1140:1000",),
    "LOC": ("42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m",),
    "LP": ("10 l64.example.net.",),
    "MX": ("10 Mail.Example.NET.", "20 mail2.example.net."),
    "NAPTR": ('100 50 "s" "z3950+I2L+I2C" "!^(.*)$!sip:\\\\1@example.net!" .',),
    "NID": ("10 0014:4fff:ff20:ee64",),
    "NINFO": ('"status" "half\\\\way"',),
    "NS": ("ns.elsewhere.example.",),
    "NSAP": ("0x47000580005a0000000001e133ffffff00016100",),
    "NSAP-PTR": ("nsap.example.net.",),
    "OPENPGPKEY": (_KEY,),
    "PTR": ("host.example.net.",),
    "PX": ("10 map822.example.net. mapx400.example.net.",),
    "RESINFO": ('"qnamemin" "exterr=15-17"',),
    "RP": ("admin.example.net. txt.example.net.",),
    "RT": ("10 relay.example.net.",),
    "SMIMEA": (f"3 0 1 {_DIGEST}",),
    "SPF": ('"v=spf1 -all"',),
    "SRV": ("0 5 5060 sip.example.net.",),
    "SSHFP": ("2 1 123456789abcdef67890123456789abcdef67890",),
    "SVCB": ("16 svc.example.net. alpn=h2 port=8443 key667=hello",),
    "TLSA": (f"3 1 1 {_DIGEST}",),
    "TXT": ('"v=spf1 ip4:192.0.2.0/24 -all"', '"a" "b"'),
    "URI": ('10 1 "ftp://ftp.example.net/public"',),
    "WALLET": ('"BTC" "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"',),
    "WKS": ("192.0.2.1 6 21 25",),
    "X25": ('"311061700956"',),
    "ZONEMD": ("2018031500 1 240 " + _DIGEST + _DIGEST[:32],),
    "TYPE65280": (r"\# 6 00ff5c220a3b",),
}
"""A few rdatas of each type, in dnspython's presentation format, with absolute names."""

NOT_IN_ZONES: dict[str, str] = {
    **dict.fromkeys(
        ("TYPE0", "OPT", "TSIG", "TKEY", "IXFR", "AXFR", "MAILB", "MAILA", "ANY", "NXNAME", "UNSPEC"),
        "a meta or query type, or reserved: no zone holds it",
    ),
    **dict.fromkeys(
        ("RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY"),
        "DNSSEC's own: present, it makes a server sign, and refuse updates without private keys",
    ),
    **dict.fromkeys(
        ("MD", "MF", "MB", "MG", "MR", "NULL", "MINFO", "NXT", "A6", "TA", "SIG"),
        "obsolete; servers refuse, drop or rewrite it, and for most of them dnspython has no class",
    ),
    "SOA": "one per zone, at the apex, always there",
}
"""The types that dnspython names and that the zone leaves out on purpose, with the reason."""

BIND_WITHOUT: dict[str, str] = {}
KNOT_WITHOUT: dict[str, str] = {"DLV": "Knot 3.2 reads it as RFC 3597 text alone, PowerDNS by its name alone"}
POWERDNS_WITHOUT: dict[str, str] = dict.fromkeys(
    ("CDS", "CDNSKEY"), "PowerDNS 4.7 makes them itself, AXFR leaves out stored ones"
)

# written as RFC 3597 section 5 has it, because Knot 3.2 or PowerDNS 4.7 does not know the type by name
_GENERIC = frozenset(
    [
        "AMTRELAY",
        "AVC",
        "BRID",
        "DSYNC",
        "GPOS",
        "HHIT",
        "HIP",
        "ISDN",
        "NINFO",
        "NSAP",
        "NSAP-PTR",
        "PX",
        "RESINFO",
        "RT",
        "WALLET",
        "WKS",
        "X25",
    ]
)


def nasty_zone(apex: str, *, without: Collection[str] = (), txt: Collection[str] = NASTY_TXT) -> str:
    """Master file text of a zone with every type of `SAMPLES` except `without`, and `txt` at `_amazonses`.

    Each type stands at `type-<name>`, so that CNAME and DNAME are alone.
    """
    absolute = apex if apex.endswith(".") else f"{apex}."
    lines = [
        f"$ORIGIN {absolute}",
        "$TTL 3600",
        "@ IN SOA ns hostmaster 2026010101 3600 600 86400 300",
        "@ IN NS ns",
        "@ 600 IN MX 10 mail",
        "ns IN A 127.0.0.1",
        "mail IN A 192.0.2.25",
        r"odd\.label\032with\"quotes\;and\255 IN A 192.0.2.26",
        "*.wild IN MX 10 mail",
        *(f"_amazonses 1234 IN TXT {rdata}" for rdata in txt),
    ]
    for rdtype, rdatas in SAMPLES.items():
        if rdtype not in without:
            lines.extend(f"type-{rdtype.lower()} 777 IN {_written(rdtype, rdata)}" for rdata in rdatas)
    return "\n".join(lines) + "\n"


def content(zone: dns.zone.Zone) -> dict[tuple[str, str], tuple[int, frozenset[bytes]]]:
    """Every rrset of a zone: (owner, type) -> TTL and the octets of its rdatas, names without compression."""
    return {
        (name.to_text(), dns.rdatatype.to_text(rdataset.rdtype)): (
            rdataset.ttl,
            frozenset(rdata.to_wire(origin=zone.origin) or b"" for rdata in rdataset),
        )
        for name, rdataset in zone.iterate_rdatasets()
    }


def _written(rdtype: str, rdata: str) -> str:
    if rdtype not in _GENERIC:
        return f"{rdtype} {rdata}"
    parsed = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), rdata)
    return f"TYPE{int(parsed.rdtype)} {parsed.to_generic().to_text()}"
