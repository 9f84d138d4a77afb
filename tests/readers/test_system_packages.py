"""packages.txt: what apt installs beside an application."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spoiled import assert_inside

from mlenv.model.source import CONTEXT, Source
from mlenv.model.text import SourceText
from mlenv.project.context import system_packages


def read(text: str) -> Source:
    source = system_packages.read(SourceText("packages.txt", text))
    assert_inside(source)
    return source


def test_all_of_it_is_one_installation() -> None:
    source = read("# for video\nffmpeg  # the tool\r\nlibgl1=1.6.0-1 git\n\n")
    (command,) = source.commands
    assert (source.role, command.tool, command.action) == (CONTEXT, "apt", "install")
    found = [(p.name, p.version, p.span.text, p.span.line) for p in command.system_packages]
    assert found == [
        ("ffmpeg", "", "ffmpeg", 2),
        ("libgl1", "1.6.0-1", "libgl1", 3),
        ("git", "", "git", 3),
    ]
    assert command.span.text.startswith("ffmpeg")
    assert command.span.text.endswith("git")


def test_an_empty_list_installs_nothing() -> None:
    assert read("").commands == read("# nothing\n \n").commands == ()


@given(st.text(alphabet="ab=# \n\r\t\x85é", max_size=60))
def test_every_name_stands_where_it_says(text: str) -> None:
    for command in read(text).commands:
        assert all(p.span.text == p.name for p in command.system_packages if p.name)
