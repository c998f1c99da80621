"""What a million domains cost: multiplied from one domain's costs, with the shards that the program itself makes."""

from __future__ import annotations

import million
import pytest
from million import MILLION, Costs, fullest_shard

COSTS = Costs(
    seconds=0.0003,
    kilobytes=2.0,
    queries=4.0,
    loading_seconds=0.0001,
    loading_kilobytes=1.0,
    base_seconds=0.5,
    base_megabytes=50.0,
)


def test_one_shard_has_everything() -> None:
    assert fullest_shard(1) == MILLION


@pytest.mark.parametrize("shards", [16, 256])
def test_the_fullest_shard_is_not_much_fuller_than_the_mean(shards: int) -> None:
    mean = MILLION / shards
    organizations = mean / 20
    assert mean < fullest_shard(shards) < 20 * (organizations + 5 * organizations**0.5)


def test_a_process_loads_the_whole_fleet_and_looks_at_its_part() -> None:
    seconds, megabytes = COSTS.of_shard(1000, 100_000)
    assert seconds == pytest.approx(0.5 + 100_000 * 0.0001 + 1000 * 0.0002)
    assert megabytes == pytest.approx(50 + 100 + 1)


def test_what_is_computed_is_called_so() -> None:
    rows, figures, page = million.measure(COSTS)
    [row] = rows
    assert row.value == pytest.approx(figures["fullest shard"][256] * 256 / MILLION)
    assert "| 1 | 1,000,000 | 5.0 min, 2,050 MB | 5.0 min, 2,050 MB |" in page
    assert "| 1 | 4,000,000 | 1.1 h |" in page
    assert page.count("(computed)") == 3
    assert page.count("(simulated)") == 1
