"""Plain data as a person or a program might have spoilt it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence


def _places(node: Any) -> list[Any]:  # noqa: ANN401 - any data
    """Every mapping and list, the outer ones first."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [node] if isinstance(node, dict | list) else []
    return own + [place for each in below for place in _places(each)]


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[Any], odd_values: Sequence[Any], keys: Sequence[Any]) -> Any:  # noqa: ANN401 - any data
    """Something whole with something odd at a few places: another value, a key or an item more, one less."""
    data = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        place, odd = draw(st.sampled_from(_places(data))), copy.deepcopy(draw(st.sampled_from(odd_values)))
        if isinstance(place, list):
            place.append(odd)
            continue
        key = draw(st.sampled_from([*place, *place, *place, *keys]))
        if draw(st.integers(0, 3)):
            place[key] = odd
        else:
            place.pop(key, None)
    return data
