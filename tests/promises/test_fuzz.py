"""Promises 1, 2 and 5 on files that no person writes: a little of what benchmarks/fuzz.py tries.

The inputs are the same in every run; a number in a failure is enough to have its input again.
"""

from __future__ import annotations

import pytest
from fuzzing import TRIED, Input, check, make, smallest
from test_linear_time import in_linear_time
from wellformed import PATHS

_SEED = 7
_BLOCK = len(TRIED) * 4
_BLOCKS = 20
_TOGETHER = 4


@pytest.mark.parametrize("block", range(_BLOCKS))
def test_no_input_makes_the_program_fail(block: int) -> None:
    first = block * _BLOCK
    for number in range(first, first + _BLOCK, _TOGETHER):
        together = [make(_SEED, number + offset) for offset in range(_TOGETHER)]
        with in_linear_time():
            check(together)


def test_an_input_follows_from_its_number() -> None:
    inputs = [make(_SEED, number) for number in range(3 * len(TRIED))]
    assert inputs == [make(_SEED, number) for number in range(3 * len(TRIED))]
    assert {one.kind for one in inputs} == set(TRIED)
    assert {one.maker for one in inputs} == {"bytes", "mutation", "soup"}
    assert len({one.data for one in inputs}) > 2 * len(TRIED)
    assert inputs != [make(_SEED + 1, number) for number in range(3 * len(TRIED))]


def test_what_fails_is_made_small() -> None:
    whole = Input("requirements", PATHS["requirements"], b"a" * 500 + b"!x?" + b"b" * 500, "soup")
    least = smallest(whole, lambda one: b"!" in one.data and b"?" in one.data)
    assert least.data == b"!?"
