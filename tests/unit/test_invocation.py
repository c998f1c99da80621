"""What every verb is given: how several runs at the same time share what may be asked of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import NOW

from reconciler.catalog import load_catalog
from reconciler.console import progress
from reconciler.invocation import Invocation
from reconciler.settings import DnsSettings, load_settings


def invocation() -> Invocation:
    return Invocation(
        Path("manifests"),
        load_settings(Path("there-is-none.yaml"), required=False),
        load_catalog(None),
        NOW,
        None,
        progress,
    )


@pytest.mark.parametrize(("count", "per_address"), [(1, 2), (2, 1), (7, 1)])
def test_those_that_look_at_the_same_time_ask_nobody_faster_than_one(count: int, per_address: int) -> None:
    alone, each = invocation().settings, invocation().sharing(count).settings
    assert isinstance(each.observe, DnsSettings)
    assert each.observe.share == count
    assert each.probes.spacing == alone.probes.spacing * count
    assert each.probes.per_address == per_address
    assert each._replace(observe=alone.observe, probes=alone.probes) == alone


def test_where_nobody_is_asked_there_is_nothing_to_share() -> None:
    offline = invocation().offline()
    assert offline.sharing(3).settings.observe == offline.settings.observe
