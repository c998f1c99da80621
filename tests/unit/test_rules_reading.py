"""Readers of spam rules: what counts as the same rule, what asks for more, and what cannot be read."""

from __future__ import annotations

import pytest
from rules_lab import framed, state

from reconciler.targets.base import UnreadableExportError
from reconciler.targets.exim_filter import EximFilter, EximSystemFilter
from reconciler.targets.mail_rule import RuleState
from reconciler.targets.sieve import Sieve
from reconciler.targets.spamassassin import SpamAssassin

SIEVE, SYSTEM, USER, SPAMASSASSIN = Sieve(), EximSystemFilter(), EximFilter(), SpamAssassin()

JUNK = '{ fileinto :create "Junk"; stop; }\n'
TEST = 'header :contains "X-PERCEPTION-POINT-SPAM" "FAIL"'
NAMED = "# rule:[Perception Point Spam Rule]\n"
MARK = 'then headers remove X-Spam-Flag headers add "X-Spam-Flag: YES" endif\n'
RULE = "header GW X-PERCEPTION-POINT-SPAM =~ /FAIL/i\nscore GW 6\n"


@pytest.mark.parametrize(
    "test",
    [
        TEST,
        f"allof ({TEST})",
        f"anyof (allof ({TEST}))",
        'header :comparator "i;ascii-casemap" :contains ["x-perception-point-spam"] ["FAIL"]',
        'header :matches "X-Perception-Point-Spam" "*FAIL*"',
        'header :regex "X-Perception-Point-Spam" "FAIL"',
        f"/* why */ {TEST} # because\n",
        TEST.replace("header :contains", "HEADER :CONTAINS"),
    ],
)
def test_sieve_writes_the_same_test_in_many_ways(test: str) -> None:
    assert state(SIEVE, f"{NAMED}if {test} {JUNK}") is RuleState.EQUAL


@pytest.mark.parametrize(
    "test",
    [
        "true",
        f"not {TEST}",
        f"anyof ({TEST}, true)",
        f"allof ({TEST}, true)",
        'header "X-PERCEPTION-POINT-SPAM" "FAIL"',
        'header :contains "X-PERCEPTION-POINT-SPAM" ["FAIL", "SUSPECT"]',
        'header :contains ["X-PERCEPTION-POINT-SPAM", "X-Other"] "FAIL"',
        'header :comparator "i;octet" :contains "X-PERCEPTION-POINT-SPAM" "FAIL"',
        'header :matches "X-PERCEPTION-POINT-SPAM" "FAIL*"',
        'header :regex "X-PERCEPTION-POINT-SPAM" "^FAIL"',
        'header :count "ge" "X-PERCEPTION-POINT-SPAM" "1"',
        'header :contains "X-PERCEPTION-POINT-SPAM" []',
        'header :contains "X-PERCEPTION-POINT-SPAM" text:\nFAIL\n.\n',
        'address :contains "X-PERCEPTION-POINT-SPAM" "FAIL"',
    ],
)
def test_sieve_tests_that_ask_for_something_else_differ(test: str) -> None:
    assert state(SIEVE, f"{NAMED}if {test} {JUNK}") is RuleState.DIFFERS


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("keep;\n", RuleState.ABSENT),
        (f"stop;\n{NAMED}if {TEST} {JUNK}", RuleState.DISABLED),
        (f"{NAMED}if allof (false, {TEST}) {JUNK}", RuleState.DISABLED),
        (f"{NAMED}# if {TEST} {JUNK}", RuleState.DISABLED),
        (f"{NAMED}# nobody needs it any more {{\n", RuleState.ABSENT),
        (f"if true {{ {NAMED}if {TEST} {JUNK} }}\n", RuleState.DIFFERS),
        (f"if true {{ keep; }}\n{NAMED}elsif {TEST} {JUNK}", RuleState.DIFFERS),
        (f"{NAMED}if false {JUNK}", RuleState.DIFFERS),
        (f"{NAMED}if {TEST} {{ keep; }}", RuleState.DIFFERS),
        (f"if {TEST} {JUNK}if {TEST} {JUNK}", RuleState.AMBIGUOUS),
    ],
)
def test_where_a_sieve_rule_stands_counts(script: str, expected: RuleState) -> None:
    text = script if script.endswith("\n") else f"{script}\n"
    assert state(SIEVE, text) is expected


@pytest.mark.parametrize(
    "script",
    [
        "if",
        "if true {",
        "keep",
        "}",
        'fileinto "Junk;',
        'if header ["a" {}',
        "if anyof (true {}",
        "/* no end",
        "1;",
        "if true {" * 100 + "}" * 100,
        "if " + "not " * 100 + "true {}",
        "# " + "x" * (1 << 20),
    ],
)
def test_what_is_no_sieve_is_unreadable(script: str) -> None:
    with pytest.raises(UnreadableExportError):
        SIEVE.read(f"{script}\n")


def test_a_sieve_string_is_read_by_its_value() -> None:
    script = f'{NAMED}if header :contains "X-PERCEPTION\\-POINT-SPAM" "FA\\IL" {JUNK}'
    assert state(SIEVE, script) is RuleState.EQUAL


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/etc/sieve", RuleState.EQUAL),
        ("/etc/sieve/", RuleState.EQUAL),
        ("file:/etc/sieve/own.sieve;name=own", RuleState.EQUAL),
        ("/elsewhere\n/etc/sieve", RuleState.EQUAL),
        ("/etc/siev", RuleState.DISABLED),
        ("", RuleState.DISABLED),
    ],
)
def test_a_sieve_script_works_where_dovecot_includes_it(before: str, expected: RuleState) -> None:
    script = f"{NAMED}if {TEST} {JUNK}"
    assert state(SIEVE, framed(SIEVE, path="/etc/sieve/own.sieve", sieve_before=before, script=script)) is expected


@pytest.mark.parametrize(
    "condition",
    [
        '$h_X-PERCEPTION-POINT-SPAM: contains "FAIL"',
        '"$header_x-perception-point-spam:" contains FAIL',
        "${rh_X-PERCEPTION-POINT-SPAM:} contains FAIL",
        '(first_delivery and ($h_X-PERCEPTION-POINT-SPAM: matches "FAIL"))',
    ],
)
def test_exim_writes_the_same_condition_in_many_ways(condition: str) -> None:
    assert state(SYSTEM, f"{NAMED}if {condition} {MARK}") is RuleState.EQUAL


@pytest.mark.parametrize(
    "condition",
    [
        "first_delivery",
        "$h_X-PERCEPTION-POINT-SPAM: is FAIL",
        "$h_X-PERCEPTION-POINT-SPAM: CONTAINS FAIL",
        "$h_X-PERCEPTION-POINT-SPAM: does not contain FAIL",
        '$h_X-PERCEPTION-POINT-SPAM: matches "^FAIL"',
        "$h_X-PERCEPTION-POINT-SPAM: contains FAIL or $h_subject: contains x",
        "($h_a: contains b) and ($h_X-PERCEPTION-POINT-SPAM: contains FAIL)",
        "$h_X-OTHER: contains FAIL",
        "$message_headers contains FAIL",
    ],
)
def test_exim_conditions_that_ask_for_something_else_differ(condition: str) -> None:
    assert state(SYSTEM, f"{NAMED}if {condition} {MARK}") is RuleState.DIFFERS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("finish\n{}", RuleState.DISABLED),
        ("if first_delivery then finish endif\n{}", RuleState.EQUAL),
        ('logwrite "finish"\n{}', RuleState.EQUAL),
        ("if first_delivery then\n{}endif\n", RuleState.DIFFERS),
        ('if first_delivery then fail else logwrite "x" endif\n{}', RuleState.EQUAL),
    ],
)
def test_where_an_exim_rule_stands_counts(text: str, expected: RuleState) -> None:
    rule = f"{NAMED}if $h_X-PERCEPTION-POINT-SPAM: contains FAIL {MARK}"
    assert state(SYSTEM, text.replace("{}", rule)) is expected


def test_an_elif_of_exim_depends_on_what_is_before_it() -> None:
    text = f"{NAMED}if first_delivery then fail elif $h_X-PERCEPTION-POINT-SPAM: contains FAIL {MARK}"
    rules = SYSTEM.read(text).rules
    assert rules[1].further == ("only where no condition before it was true",)


@pytest.mark.parametrize(
    "text",
    ["if a then", "endif", "if a endif", 'logwrite "x', "then", "if a then " * 100 + "endif " * 100, "x" * (2 << 20)],
    ids=lambda text: text[:12],
)
def test_what_is_no_exim_filter_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        SYSTEM.read(f"{text}\n")


def test_a_recipients_file_without_its_mark_is_no_filter() -> None:
    """Exim takes such a file for a list of addresses to forward to."""
    with pytest.raises(UnreadableExportError, match="# Exim filter"):
        USER.read("someone@acme.example\n")


def test_a_system_filter_that_exim_does_not_name_does_not_work() -> None:
    text = f"{NAMED}if $h_X-PERCEPTION-POINT-SPAM: contains FAIL {MARK}"
    assert state(SYSTEM, framed(SYSTEM, system_filter="/etc/f", filter=text)) is RuleState.EQUAL
    unset = framed(SYSTEM, system_filter=" ", filter=text)
    assert state(SYSTEM, unset) is RuleState.ABSENT
    assert [a.code for a in SYSTEM.read(unset).advice] == ["exim-system-filter-unset"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (RULE, RuleState.EQUAL_OTHER_NAME),
        (NAMED + RULE, RuleState.EQUAL),
        (f"{RULE}describe GW Perception Point Spam Rule\n", RuleState.EQUAL),
        (f"{NAMED}{RULE}score GW 0 0 0 0\n", RuleState.DISABLED),
        (NAMED + RULE.replace("header", "# header").replace("score", "# score"), RuleState.DISABLED),
        (f"{NAMED}{RULE}score GW 7\n", RuleState.DIFFERS),
        (f"{NAMED}{RULE}score GW (1)\n", RuleState.DIFFERS),
        (f"{NAMED}{RULE}score GW 6 6 1 1\n", RuleState.DIFFERS),
        (NAMED + RULE.replace("score GW 6", ""), RuleState.DIFFERS),
        (NAMED + RULE.replace("/i", "/"), RuleState.DIFFERS),
        (NAMED + RULE.replace("/i", "/im"), RuleState.DIFFERS),
        (NAMED + RULE.replace("=~", "!~"), RuleState.DIFFERS),
        (NAMED + RULE.replace("SPAM =~", "SPAM:raw =~"), RuleState.DIFFERS),
        (NAMED + RULE.replace("/FAIL/", "/^FAIL/"), RuleState.DIFFERS),
        (NAMED + RULE.replace("/FAIL/i", "/FAIL/i [if-unset: FAIL]"), RuleState.DIFFERS),
        (NAMED + RULE.replace("=~ /FAIL/i", "exists:X"), RuleState.DIFFERS),
        (f"ifplugin Some::Plugin\n{NAMED}{RULE}endif\n", RuleState.DIFFERS),
        (f"{NAMED}{RULE}header GW X-Other =~ /x/\n", RuleState.ABSENT),
        (f"{NAMED}{RULE.replace('/i', '/i # why')}", RuleState.EQUAL),
        ("endif\n", RuleState.ABSENT),
    ],
)
def test_spamassassin_rules(lines: str, expected: RuleState) -> None:
    assert state(SPAMASSASSIN, lines) is expected


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (f"trusted_networks 192.0.2.1\n{NAMED}{RULE}", []),
        (NAMED + RULE, ["spamassassin-trusted-networks"]),
        ("trusted_networks 192.0.2.1\nclear_trusted_networks\n", ["spamassassin-trusted-networks"]),
        (f"trusted_networks 192.0.2.1\nrequired_score 8.5\n{NAMED}{RULE}", ["spamassassin-required-score"]),
        (f"trusted_networks 192.0.2.1\nrequired_score 8.5\n{RULE}", []),
    ],
)
def test_advice_of_spamassassin(lines: str, codes: list[str]) -> None:
    content = SPAMASSASSIN.read(framed(SPAMASSASSIN, configuration=lines))
    assert [a.code for a in content.advice] == codes


def test_a_big_configuration_is_unreadable() -> None:
    with pytest.raises(UnreadableExportError):
        SPAMASSASSIN.read("x" * (5 << 20) + "\n")
