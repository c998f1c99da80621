"""The gateway's judgement of a recipient, as a Postfix policy server: `python -m mail_lab.policy STATE NAMESERVER`.

A model of the vendor, at its harshest: a gateway site takes mail for a domain that the console has for its region, and
whose verification value for that region stands in DNS at this moment. The vendor grants up to 72 hours before it
withdraws a verification; here it is withdrawn at once, and what is withdrawn is refused for good (5xx).

STATE is the console: JSON, `{"listen": [address, port], "sites": {address: region}, "domains": {domain: {region:
value}}}`, read anew for every question. The protocol is that of SMTPD_POLICY_README.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

LABEL = "_amazonses"
_ACCEPT = "OK"


async def judge(attributes: dict[str, str], state: dict[str, Any], name_server: str) -> str:
    """What Postfix shall do with one recipient: an action of access(5)."""
    domain = attributes.get("recipient", "").rpartition("@")[2].lower()
    region = state["sites"].get(attributes.get("server_address", ""))
    value = state["domains"].get(domain, {}).get(region)
    if value is None:
        return f"550 5.7.1 {domain} is not in the console of {region}"
    try:
        shown = await _values(f"{LABEL}.{domain}.", name_server)
    except dns.exception.DNSException as exc:
        return f"451 4.4.3 the verification of {domain} cannot be looked up: {type(exc).__name__}"
    return _ACCEPT if value in shown else f"550 5.7.1 the verification of {domain} in {region} was withdrawn"


async def _values(name: str, name_server: str) -> set[str]:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [name_server]
    try:
        answer = await resolver.resolve(name, "TXT", lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return set()
    return {b"".join(rdata.strings).decode(errors="replace") for rdata in answer}


def read_state(file: Path) -> dict[str, Any]:
    """The console as it is now."""
    state: dict[str, Any] = json.loads(file.read_text())
    return state


async def _serve(state_file: Path, name_server: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attributes: dict[str, str] = {}
        while line := (await reader.readline()).decode(errors="replace"):
            if line == "\n":
                action = await judge(attributes, read_state(state_file), name_server)
                writer.write(f"action={action}\n\n".encode())
                await writer.drain()
                attributes = {}
            else:
                key, _, value = line.rstrip("\n").partition("=")
                attributes[key] = value
        writer.close()

    address, port = read_state(state_file)["listen"]
    server = await asyncio.start_server(answer, address, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
