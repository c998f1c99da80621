"""However deep a name is, and however many questions are answered by what is known already: nothing overflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.differential import observed_by_both
from servers.forging import run_forging
from servers.knot import run_knot
from servers.observing import Asking, question
from servers.tricky import HEAD

from reconciler.observe.dns import LiveObserver
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

DEEP = "a." * 120 + "acme.example."


def test_a_name_of_as_many_labels_as_there_can_be(tmp_path: Path) -> None:
    with run_knot({"acme.example.": HEAD}, directory=tmp_path) as server:
        asking = Asking(servers=((server.address, server.port),))
        asked = [question(DEEP, rdtype, domain=DEEP) for rdtype in ("MX", "TXT", "A")]
        asked += [question(DEEP.replace("acme", "othe"), rdtype) for rdtype in ("MX", "TXT", "A")]
        found = observed_by_both(asking, asked)
    assert [type(o.observed) for o in found] == [Absent] * 3 + [Unknown] * 3


def test_thousands_of_questions_that_nobody_needs_to_be_asked() -> None:
    with run_forging(lambda _q, true, client: [(true, client)]) as server:
        asking = Asking(servers=(server.endpoint,))
        asked = [question(f"n{number}.elsewhere.test.", "MX", domain="d1.example") for number in range(5000)]
        found = [o.observed for o in LiveObserver(asking).observe(asked)]
    assert len(found) == 5000
    assert {o.cause for o in found if isinstance(o, Unknown)} == {Cause.DELEGATED}


def test_thousands_of_questions_in_a_zone_that_is_refused(tmp_path: Path) -> None:
    with run_knot({"acme.example.": HEAD}, directory=tmp_path) as server:
        asking = Asking(servers=((server.address, server.port),))
        asked = [question(f"n{number}.other.example.", "MX", domain="other.example") for number in range(5000)]
        found = [o.observed for o in LiveObserver(asking).observe(asked)]
    assert {o.cause for o in found if isinstance(o, Unknown)} == {Cause.REFUSED}
    assert len(found) == 5000
