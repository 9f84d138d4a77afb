"""mlenv's records behave as the standard library's dataclasses do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv import records
from mlenv.versions.version_set import Clause


def classes(module: Any) -> list[type]:
    @module.dataclass(frozen=True, slots=True)
    class Frozen:
        a: int
        b: str = "b"
        c: tuple[int, ...] = ()

    @module.dataclass(frozen=True, slots=True, eq=False)
    class Identity:
        a: int
        b: str = "b"

    @module.dataclass(slots=True)
    class Open:
        a: int
        b: list[int] = module.field(default_factory=list)

    @module.dataclass(frozen=True, slots=True, eq=False, repr=False)
    class Own:
        a: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and self.a % 10 == other.a % 10

        def __hash__(self) -> int:
            return hash(self.a % 10)

        def __repr__(self) -> str:
            return f"<{self.a}>"

    return [Frozen, Identity, Open, Own]


OURS, THEIRS = classes(records), classes(dataclasses)
names = st.sampled_from(["a", "b", "c", "d"])
values = st.integers(0, 30) | st.text(max_size=2)


def outcome(call: Callable[[], object]) -> object:
    try:
        return call()
    except (TypeError, AttributeError) as error:
        # the standard library's FrozenInstanceError is an AttributeError too
        return AttributeError if isinstance(error, AttributeError) else type(error)


def shown(one: Any) -> object:
    return one if isinstance(one, type) else repr(one)


@pytest.mark.parametrize("earlier", [0, 100], ids=["the first ones", "later ones"])
@given(
    at=st.sampled_from(range(4)),
    args=st.lists(st.integers(0, 30), max_size=4),
    kwargs=st.dictionaries(names, values),
)
def test_they_are_made_alike(
    earlier: int, at: int, args: list[int], kwargs: dict[str, Any]
) -> None:
    kind = classes(records)[at]
    for number in range(earlier):
        kind(number)
    ours = outcome(lambda: kind(*args, **kwargs))
    theirs = outcome(lambda: THEIRS[at](*args, **kwargs))
    assert shown(ours) == shown(theirs)


@given(st.sampled_from(range(4)), st.integers(0, 30), st.integers(0, 30))
def test_they_compare_and_hash_alike(at: int, left: int, right: int) -> None:
    one, two = OURS[at](left), OURS[at](right)
    ref_one, ref_two = THEIRS[at](left), THEIRS[at](right)
    assert (one == two) == (ref_one == ref_two)
    assert one != ref_one
    hashes = outcome(lambda: hash(one) == hash(two))
    assert hashes == outcome(lambda: hash(ref_one) == hash(ref_two))


@pytest.mark.parametrize("at", range(4))
def test_they_change_or_refuse_alike(at: int) -> None:
    def change(kind: type) -> object:
        made = kind(1)
        made.a = 5
        return made.a

    def stray(kind: type) -> object:
        kind(1).stray = 5
        return None

    assert outcome(lambda: change(OURS[at])) == outcome(lambda: change(THEIRS[at]))
    assert isinstance(outcome(lambda: stray(OURS[at])), type)
    assert isinstance(outcome(lambda: stray(THEIRS[at])), type)


def test_a_default_factory_makes_a_new_one_each_time() -> None:
    one, two = OURS[2](1), OURS[2](2)
    one.b.append(3)
    assert (one.b, two.b) == ([3], [])
    assert [OURS[2](number).b for number in range(100)] == [[]] * 100


def test_replace_changes_some_fields_and_refuses_others() -> None:
    clause = Clause("==", "1.0")
    assert records.replace(clause, version="2.0") == Clause("==", "2.0")
    changes: dict[str, Any] = {"stray": 1}
    with pytest.raises(TypeError):
        records.replace(clause, **changes)


def test_they_match_by_position() -> None:
    match Clause(">=", "2"):
        case Clause(operator, version):
            assert (operator, version) == (">=", "2")
