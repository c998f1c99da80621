"""Laws of the plan document that is made without validation: it is the one that validation would have made."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from builders import document
from gate_strategies import worlds
from hypothesis import given, settings

from reconciler.document import PlanDocument

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reconciler.gates import Facts

_WORDS: dict[str, Any] = {"gates": {"__all__": {"evidence", "advice"}}, "reason": True, "source": True, "wanted": True}


def parts(model: BaseModel) -> list[BaseModel]:
    """Every model inside a model, itself first."""
    values = [v for value in model.__dict__.values() for v in (value if isinstance(value, list) else [value])]
    return [model, *(part for v in values if hasattr(v, "model_dump") for part in parts(v))]


@given(worlds())
@settings(deadline=None)
def test_what_is_made_is_what_would_be_read(world: Facts) -> None:
    """The same values of the same types, every field in its place, and the same JSON to the byte."""
    made = document(world)
    read = PlanDocument.model_validate_json(made.model_dump_json())
    assert made == read
    assert made.model_dump_json() == read.model_dump_json()
    for ours, theirs in zip(parts(made), parts(read), strict=True):
        assert type(ours) is type(theirs)
        assert list(ours.__dict__) == list(type(ours).model_fields) == list(theirs.__dict__)
        assert [type(v) for v in ours.__dict__.values()] == [type(v) for v in theirs.__dict__.values()]
    copied = made.domains[0].model_copy(update={"flow": ["elsewhere"]})
    assert made.domains[0].model_copy(deep=True) == made.domains[0] != copied


@given(worlds())
@settings(deadline=None)
def test_a_digest_is_over_what_the_steps_say_as_json(world: Facts) -> None:
    made = document(world)
    meaning = {
        "kind": "plan",
        "commit": made.commit,
        "manifests": made.manifests_digest,
        "catalog": made.catalog_digest,
        "steps": [s.model_dump(mode="json", exclude=_WORDS) for part in made.parts for s in part.steps],
        "declared": [[d.domain, d.declared] for d in made.domains],
    }
    if made.settings_digest:
        meaning["settings"] = made.settings_digest
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    assert made.digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
