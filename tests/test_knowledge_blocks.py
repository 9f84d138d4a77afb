"""What is told of a record without parsing it is what its parsed form says."""

from __future__ import annotations

import pytest
import tomli

from mlenv.knowledge.base import _text
from mlenv.knowledge.blocks import Blocks, stated
from mlenv.knowledge.breaks import Breaks

FILES = {
    "breaks": ("breaks", ("topic", "when")),
    "builds": ("build", ()),
    "companions": ("companions", ("kind",)),
    "gpu_needs": ("need", ()),
    "numpy2": ("boundary", ("broken", "numpy")),
    "system_libraries": ("library", ()),
}


@pytest.mark.parametrize("file", FILES)
def test_every_record_is_cut_out_whole(file: str) -> None:
    table, _ = FILES[file]
    assert [*Blocks(lambda: _text(file), table).all()] == tomli.loads(_text(file))[table]


def test_other_tables_may_follow_the_records() -> None:
    records = tomli.loads(_text("distributions"))
    assert [*records].index("overlap") < [*records].index("wrong")
    blocks = Blocks(lambda: _text("distributions"), "overlap", key="names")
    assert [*blocks.all()] == records["overlap"]


@pytest.mark.parametrize("file", FILES)
def test_what_stands_under_a_key_is_what_the_record_has(file: str) -> None:
    table, keys = FILES[file]
    for text in _text(file).split(f"[[{table}]]\n")[1:]:
        record = tomli.loads(text)
        for key in keys:
            written = stated(text, key)
            value = tomli.loads(f"value = {written}")["value"] if written else None
            assert value == record.get(key)


def test_whether_a_record_asks_for_code_is_told_by_its_text() -> None:
    breaks = Breaks(_text)
    every = {name for one in breaks.all for name in one.when}
    topics = {one.topic for one in breaks.all}
    of_code = [one.id for one in breaks.within(every, topics, in_code=True)]
    others = [one.id for one in breaks.within(every, topics, in_code=False)]
    assert of_code == [one.id for one in breaks.all if one.code]
    assert others == [one.id for one in breaks.all if not one.code]


def test_a_key_within_a_value_is_none() -> None:
    assert stated('packages = ["a"]\nfact = "kind = \\"x\\""\n', "kind") == ""
    assert stated('packages = ["a"]\nkind = "x"\nfact = "y"\n', "kind") == '"x"'
