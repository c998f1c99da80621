"""What a declared list of the intent `restrict` comes to: what everybody else meets at its target, hard or soft."""

from __future__ import annotations

from dataclasses import replace

from reconciler.targets.base import DeclaredAllowlist, Enforcement, Intent, Output

POSTFIX = "postfix-access"
_ACTION = "action"
_REJECT, _DEFER = "reject", "defer"

# What becomes of a client that no entry is for, once the target's own restriction is in place.
_HARDEST: dict[str, Enforcement] = {
    # nobody knows what takes a plain list, and a bounce is the worst that it can do
    "plain": Enforcement.HARD,
    # access(5), REJECT: 554, unless the list is declared with `action: defer`
    POSTFIX: Enforcement.HARD,
    # the documented ACL denies: 550
    "exim-iplsearch": Enforcement.HARD,
    # a connection that is dropped or reset is tried again for days (RFC 5321 section 4.5.4.1)
    "csf": Enforcement.SOFT,
    "nftables": Enforcement.SOFT,
    "ipset": Enforcement.SOFT,
    "iptables": Enforcement.SOFT,
    "firewalld": Enforcement.SOFT,
    "aws-prefix-list": Enforcement.SOFT,
    "pfsense-alias": Enforcement.SOFT,
    "opnsense-alias": Enforcement.SOFT,
    # RestrictDomainsToIPAddresses: 550 5.7.51
    "exchange-online-inbound-connector": Enforcement.HARD,
    # "Reject all mail not from gateway IPs": 550 5.7.1
    "google-workspace": Enforcement.HARD,
}

# The exports that show what becomes of everybody else: always, or where the emitted script made them.
_SHOWN_ALWAYS = frozenset({POSTFIX, "iptables", "exchange-online-inbound-connector"})
_SHOWN_BY_SCRIPT = frozenset({"csf", "nftables", "ipset"})


# What lets everybody in again stands outside of the list's own file: these say what to remove, and change nothing.
_LOOSENING: dict[str, Output] = {
    "nftables": Output("loosen.sh", "allowlists/nftables_loosen.sh.j2"),
    "ipset": Output("loosen.sh", "allowlists/iptables_loosen.sh.j2"),
    "iptables": Output("loosen.sh", "allowlists/iptables_loosen.sh.j2"),
    "csf": Output("loosen.sh", "allowlists/csf_loosen.sh.j2"),
    "firewalld": Output("loosen.sh", "allowlists/firewalld_loosen.sh.j2"),
    "aws-prefix-list": Output("loosen.sh", "allowlists/aws_prefix_list_loosen.sh.j2"),
    "plain": Output("loosen.md", "allowlists/loosen.md.j2"),
    "exim-iplsearch": Output("loosen.md", "allowlists/loosen.md.j2"),
    "pfsense-alias": Output("loosen.md", "allowlists/loosen.md.j2"),
    "opnsense-alias": Output("loosen.md", "allowlists/loosen.md.j2"),
}


def hardest_enforcement(declared: DeclaredAllowlist) -> Enforcement:
    """What the declared list ends at, when all of it is in place; NONE for a list of the intent `allow`.

    Raises:
        KeyError: no target of the intent `restrict` has this id.

    """
    if declared.intent is not Intent.RESTRICT:
        return Enforcement.NONE
    if declared.target == POSTFIX and declared.option(_ACTION, _REJECT) == _DEFER:
        return Enforcement.SOFT
    return _HARDEST[declared.target]


def softened(declared: DeclaredAllowlist) -> DeclaredAllowlist | None:
    """The same list, which turns everybody else away for now (4xx) instead of for good.

    None where it does no more than that already, where it restricts nothing, and where the target knows no such thing.
    """
    if hardest_enforcement(declared) is not Enforcement.HARD or declared.target != POSTFIX:
        return None
    options = dict(declared.options) | {_ACTION: _DEFER}
    return replace(declared, options=tuple(sorted(options.items())))


def loosening_outputs(target: str) -> tuple[Output, ...]:
    """The further files of a list that is to be loosened, where its own files do not take the restriction away."""
    return (_LOOSENING[target],) if target in _LOOSENING else ()


def is_written_whole(target: str) -> bool:
    """Whether one emitted file or script lets the gateway in and keeps others out, so that nobody does one alone."""
    return target in _SHOWN_ALWAYS


def shows_enforcement(target: str) -> bool:
    """Whether an export, made with the emitted script, shows what becomes of everybody else.

    Elsewhere the rule stands where no export reaches. Of a list of the intent `restrict` it is presumed to be there,
    also after somebody took it away: then only a person can say so.
    """
    return target in _SHOWN_ALWAYS | _SHOWN_BY_SCRIPT
