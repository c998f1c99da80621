"""A zone full of what makes observing hard: aliases, cuts, wildcards, odd octets, rrsets that no datagram holds."""

from __future__ import annotations

from servers.nasty import NASTY_TXT

HEAD = """$TTL 300
@ IN SOA ns1 HostMaster 1 3600 600 86400 60
@ IN NS ns1
@ IN NS NS2.other.example.
ns1 IN A 127.0.0.1
ns1 IN AAAA ::1
"""
_RECORDS = r"""@ 600 IN MX 10 Mail
@ 600 IN MX 20 mail.OTHER.example.
@ IN TXT "v=spf1 -all"
_amazonses 120 IN TXT "token one" "second string"
_amazonses 120 IN TXT "back\\slash \"quoted\" \200\000\255" ""
odd IN MX 10 a\.dot.sp\032ace.nul\000.hi\255.Example.net.
odd IN MX 0 .
nulls IN TXT "\000" "\000\000"
alias IN CNAME Elsewhere.example.
inner IN CNAME mail.acme.example.
back IN CNAME back
chain IN CNAME chain2
chain2 IN CNAME chain3
chain3 IN MX 5 mail
strange IN CNAME a\.dot.sp\032ace.nul\000.ACME.example.
_amazonses.alias IN TXT "below an alias"
dname IN DNAME example.net.
inward IN DNAME hosts
empty.non.terminal IN A 192.0.2.1
cut IN NS ns.cut
cut IN NS ns.elsewhere.example.
ns.cut IN A 192.0.2.2
child IN NS ns1
* IN TXT "v=spf1 -all"
*.apps IN CNAME apps.example.net.
*.hosts IN A 192.0.2.3
exists.hosts IN TXT "so the wildcard does not cover it"
*.mails IN MX 10 mail
*.six IN AAAA 2001:db8::1
*.dim IN CNAME dim
dim IN MX 10 mail
same IN TXT "v=spf1 -all"
deep.same IN TXT "v=spf1 -all"
zero 0 IN MX 10 mail
ages 2147483647 IN MX 10 mail
"""
_BIG = (
    *(f'big IN TXT "{number:03} {"x" * 200}"' for number in range(60)),
    *(f"bigmx IN MX {number} host-{number}.{'l' * 50}" for number in range(90)),
    *(f'edge IN TXT "{number:02} {"y" * 100}"' for number in range(10)),
)
TRICKY_ZONE = "\n".join([HEAD, _RECORDS, *_BIG, *(f"nasty 1234 IN TXT {rdata}" for rdata in NASTY_TXT), ""])
"""Master file text of acme.example., which delegates child.acme.example."""
