"""What holds of every table beside its model: the same keys, defaults and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from reconciler.tables import Table


def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """The model's fields by the keys that people write."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def assert_table_is_of(table: Table, model: type[BaseModel]) -> None:
    """It has the keys of its model, those that there must be, and the defaults of the others with their types."""
    fields = fields_of(model)
    assert set(table.takes) == set(fields)
    assert set(table.required) == {key for key, field in fields.items() if field.is_required()}
    expected = {key: field.default for key, field in fields.items() if field.default is not PydanticUndefined}
    assert table.defaults == expected
    assert {key: type(value) for key, value in table.defaults.items()} == {k: type(v) for k, v in expected.items()}


def assert_equal(made: Any, model: Any) -> None:  # noqa: ANN401 - whatever a model has
    """What stands in for a model has its attributes, to their types."""
    if isinstance(model, BaseModel):
        for name in type(model).model_fields:
            assert_equal(getattr(made, name), getattr(model, name))
    elif isinstance(model, tuple):
        assert type(made) is tuple
        assert len(made) == len(model)
        for one, other in zip(made, model, strict=True):
            assert_equal(one, other)
    else:
        assert (type(made), made) == (type(model), model)
