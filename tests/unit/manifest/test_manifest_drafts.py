"""What is made as a draft is what its class makes, and nobody can change it."""

import pickle
from dataclasses import FrozenInstanceError, dataclass

import pytest

from reconciler.manifest.drafts import draft_of, row_of
from reconciler.manifest.fleet import Fleet, Source


@dataclass(frozen=True, slots=True)
class Place:
    """As those of the fleet."""

    file: str
    line: int = 1


make_place = draft_of(Place)


def test_is_what_its_class_makes() -> None:
    """Of the same class, equal, with the same hash and text; defaults and names of arguments hold."""
    for made, place in ((make_place("a"), Place("a")), (make_place(line=2, file="b"), Place("b", 2))):
        assert type(made) is Place
        assert made == place
        assert hash(made) == hash(place)
        assert repr(made) == repr(place)
        assert pickle.loads(pickle.dumps(made)) == place  # noqa: S301 - our own


def test_is_frozen() -> None:
    made = make_place("a")
    with pytest.raises(FrozenInstanceError):
        made.file = "b"  # type: ignore[misc]  # that is what is tried
    with pytest.raises(FrozenInstanceError):
        del made.file
    assert not hasattr(made, "__dict__")


def test_takes_the_arguments_of_its_class_alone() -> None:
    for arguments in ((), ("a", 1, 2)):
        with pytest.raises(TypeError):
            make_place(*arguments)
    assert draft_of(Fleet)((), "a") == Fleet((), "a")


def test_a_row_is_what_its_class_makes() -> None:
    made, source = row_of(Source)("a", 1), Source("a", 1)
    assert type(made) is Source
    assert made == source
    assert hash(made) == hash(source)
    assert pickle.loads(pickle.dumps(made)) == source  # noqa: S301 - our own
