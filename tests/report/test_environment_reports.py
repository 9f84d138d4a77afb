"""Whatever an environment holds, its reports act on no terminal, no runner and no page."""

from __future__ import annotations

import gc
import json
import re
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import environment_of

from mlenv.audit import audit_surroundings
from mlenv.config import Config
from mlenv.knowledge import Knowledge
from mlenv.machine.build import described
from mlenv.machine.document import as_toml, document_of
from mlenv.machine.snapshot import parse_snapshot
from mlenv.model.difference import Comparison
from mlenv.model.machine import Driver, GpuState, Machine
from mlenv.model.surroundings import Surroundings
from mlenv.reasoning.differences import differences
from mlenv.reasoning.forest import graph_of, twigs, weights
from mlenv.reasoning.installed import target_of
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.reasoning.ladder import ladder_of
from mlenv.reasoning.standing import Standing, packages_that_matter
from mlenv.report import diff, env_json, env_markdown, env_text, tree
from mlenv.report.discreet import discretion
from mlenv.report.drawing import ASCII, UTF8, chart, drawn
from mlenv.report.view import View

KNOWLEDGE = Knowledge()
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\r\x08", "\u202egnp\u2066", "\u2028\x85", "::error::owned",
    "##[error]owned", "`</summary><b>|", "[x](javascript:y)", "\0", "\U000e0041", "1\n::x::",
    "@team",
)  # fmt: skip
VIEWS = (
    View(width=60), View(width=120, verbose=True, color=False), View(ascii=True),
    View(width=40, ascii=True, verbose=True),
)  # fmt: skip

text = st.sampled_from(HOSTILE) | st.text(max_size=8)
name = st.sampled_from(["torch", "numpy", "a", "b", "own-lib"]) | text.filter(bool)
distributions = st.lists(
    st.fixed_dictionaries(
        {"name": name, "version": st.sampled_from(["1.0", "2.9.1"]) | text},
        optional={
            "requires": st.lists(
                st.sampled_from(["b>=2", "numpy<2", "gone", "a[x]", "a @ https://u:p@x.example/"])
                | text,
                max_size=3,
            ),
            "origin": st.fixed_dictionaries({"url": text}, optional={"commit": text}),
        },
    ),
    max_size=5,
    unique_by=lambda one: str(one["name"]),
)
machines = st.builds(
    Machine,
    st.just("linux"),
    release=text,
    libc=text,
    driver=st.builds(
        Driver, text, text, text, text, st.sampled_from(["", "other"]), text.filter(bool)
    ),
    gpus=st.lists(st.builds(GpuState, text, st.sampled_from([None, (8, 0)])), max_size=2).map(
        tuple
    ),
    toolkit=text,
    container=text,
    amd_gpus=st.lists(text, max_size=1).map(tuple),
)


def everything(packages: Any, machine: Machine, title: str) -> dict[str, str]:
    """Every report on an environment, by what it is."""
    environment = environment_of({"name": title or "x", "distributions": packages})
    fields = {"os": "linux", "driver": machine.driver.version}
    whole = target_of(environment, described("local", fields))
    around = Surroundings((), environment, machine)
    report = audit_surroundings(around, Config(), "2026-11-20")
    standing = Standing(whole, "local", machine, environment, report.findings)
    ladder = ladder_of(standing, KNOWLEDGE)
    document = document_of(whole)
    other = parse_snapshot(as_toml(document), "a.toml", "a")
    told = differences(described("local", {"os": "windows"}), whole, KNOWLEDGE)
    comparison = Comparison(title, "here", (*told, *differences(other, whole, KNOWLEDGE)))
    requirements = requirements_of(environment)
    assert requirements is not None
    graph = graph_of(environment, requirements)
    places = twigs(graph.edges, graph.roots)
    held = weights(graph, dict.fromkeys(graph.versions, 5000))
    names = frozenset(graph.versions)
    found = {
        "env json": env_json.render(
            ladder, report, document, (machine, environment), discretion({})
        ),
        "env markdown": env_markdown.render(
            ladder, report.findings, packages_that_matter(whole.installed.packages, KNOWLEDGE)
        ) if whole.installed else "",
        "diff json": diff.as_json(comparison),
        "diff markdown": diff.markdown(comparison),
        "tree json": tree.tree_json(title, graph, names, held, {}),
        "mermaid": chart(graph, names),
        "mermaid up": chart(graph, names, upward=True),
        "toml": as_toml(document),
    }  # fmt: skip
    for number, view in enumerate(VIEWS):
        found[f"env {number}"] = env_text.render(ladder, report.findings, view)
        found[f"diff {number}"] = diff.text(comparison, view)
        found[f"tree {number}"] = tree.drawn_tree(graph, places, view, upward=False)
        found[f"up {number}"] = tree.drawn_tree(graph, places, view, upward=True)
        found[f"weights {number}"] = tree.weighed(graph, held, view)
        if view.ascii:
            for form in ("env", "diff", "tree", "weights"):
                assert "✓" not in found[f"{form} {number}"]
    return found


@settings(deadline=None, max_examples=150)
@given(distributions, machines, text)
@example(
    [{"name": "torch", "version": one, "requires": [one]} for one in HOSTILE[:1]],
    Machine("linux", release=HOSTILE[3], driver=Driver("", "", "", "", "other", HOSTILE[0])),
    HOSTILE[4],
)
def test_every_report_is_harmless(packages: Any, machine: Machine, title: str) -> None:
    for form, shown in everything(packages, machine, title).items():
        if "json" in form:
            assert shown.isascii()
            json.loads(shown)
        for line in shown.split("\n"):
            assert line.isprintable(), (form, line)
            assert "##[" not in line, (form, line)
            assert not line.lstrip().startswith("::"), (form, line)
        if "markdown" in form:
            # what stands between code spans and fences is ours
            bare = re.sub(r"(?ms)^```text$.*?^```$", "", shown).replace("\\|", "")
            outside = "".join(bare.split("`")[::2])
            for sign in ("@team", "<b>", "javascript", "\\"):
                assert sign not in outside, (form, sign)
        if "mermaid" in form:
            assert not set("`@|\\") & set(shown), (form, shown)


def test_lines_keep_to_the_width() -> None:
    packages = [
        {"name": f"package-{at}", "version": "1.0", "requires": ["numpy>=2"]} for at in "ab"
    ]
    machine = Machine("linux", release="A long name of a system " * 9)
    shown = everything(packages, machine, "here")
    for number, view in enumerate(VIEWS):
        for form in ("env", "diff", "tree", "up", "weights"):
            for line in shown[f"{form} {number}"].splitlines():
                assert len(line) <= view.width, (form, line)


@pytest.mark.parametrize("encoding", [UTF8, ASCII])
def test_pipdeptree_draws_what_it_is_given(encoding: str) -> None:
    text = drawn([(0, "a"), (1, "b"), (2, "a"), (1, "c"), (0, "b")], encoding)
    lines = {
        UTF8: ["a", "├── b", "│   └── a", "└── c", "b"],
        ASCII: ["a", "  - b", "    - a", "  - c", "b"],
    }
    assert text.splitlines() == lines[encoding]
    assert drawn([], encoding) == ""


def test_a_large_tree_is_drawn_in_linear_time() -> None:
    def seconds(size: int) -> float:
        labels = [(at % 50, "label") for at in range(size)]
        start = process_time()
        assert len(drawn(labels, UTF8).splitlines()) == size
        return process_time() - start

    gc.disable()  # as the program does
    try:
        seconds(2_000)
        small, large = (min(seconds(size) for _ in range(3)) for size in (4_000, 16_000))
    finally:
        gc.enable()
    assert large < small * 4 * 2.5


def test_folders_are_taken_out() -> None:
    discreet = discretion({"/data/env": ".venv", "/data": "~", "C:\\w": "."})
    assert discreet("in /data/env/lib and '/data/x', /database") == (
        "in .venv/lib and '~/x', /database"
    )
    assert discreet("/home/joe/a, /Users/joe, C:\\Users\\joe\\a, C:\\w\\b") == "~/a, ~, ~\\a, .\\b"
    assert discreet("c:\\users\\joe\\a, C:/Users/joe/a") == "~\\a, ~/a"
    assert discreet("/root/.venv and /roots and x/root") == "~/.venv and /roots and x/root"
