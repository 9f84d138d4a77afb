"""Dockerfiles: instructions, stages, what they install and where it comes from."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.model.source import IMAGE, MERGE_CONFLICT, NOT_A_MANIFEST, Source
from mlenv.model.text import SourceText
from mlenv.project.images import dockerfile
from mlenv.project.images.dockerfile_instructions import instructions


def read(text: str) -> Source:
    return dockerfile.read(SourceText("Dockerfile", text))


def structure(text: str) -> list[tuple[int, int, str]]:
    found = instructions(SourceText("Dockerfile", text))
    return [(one.line, one.last_line, one.name) for one in found]


def named(source: Source) -> list[str]:
    return [f"{one.name}{one.versions}" for one in source.requirements]


def targets(source: Source) -> list[str]:
    return [one.target for one in source.includes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from a\nrun b \\\n  c\n", [(1, 1, "FROM"), (2, 3, "RUN")]),
        ("# c\n\n  FROM a\n", [(3, 3, "FROM")]),
        ("FROM a\r\nRUN b \\\r\n c\r\n", [(1, 1, "FROM"), (2, 3, "RUN")]),
        ("FROM a\nRUN b \\  \n c\nRUN d\n", [(1, 1, "FROM"), (2, 3, "RUN"), (4, 4, "RUN")]),
        ("FROM a\nRUN b \\\n# no \\\n\n  c\nRUN d", [(1, 1, "FROM"), (2, 5, "RUN"), (6, 6, "RUN")]),
        (
            "# escape=`\nFROM a\nRUN b `\n c \\\nRUN d",
            [(2, 2, "FROM"), (3, 4, "RUN"), (5, 5, "RUN")],
        ),
        ("# c\n# escape=`\nFROM a\nRUN b \\\n c", [(3, 3, "FROM"), (4, 5, "RUN")]),
        ("# syntax=x\n#escape = `\nFROM a `\n AS b", [(3, 4, "FROM")]),
        ("FROM a\nRUN b \\\\\nRUN c", [(1, 1, "FROM"), (2, 2, "RUN"), (3, 3, "RUN")]),
        ("FROM a\nRUN <<E\nFROM b\nE\nRUN c", [(1, 1, "FROM"), (2, 4, "RUN"), (5, 5, "RUN")]),
        (
            "FROM a\nRUN <<-\"E\" cat 3<<'F'\nx\n\tE\ny\nF\nRUN c",
            [(1, 1, "FROM"), (2, 6, "RUN"), (7, 7, "RUN")],
        ),
        (
            "FROM a\nCOPY <<a.txt <<b.txt /x/\n1\na.txt\n2\nb.txt\nRUN c",
            [(1, 1, "FROM"), (2, 6, "COPY"), (7, 7, "RUN")],
        ),
        ("FROM a\nENV A=<<E\nRUN c", [(1, 1, "FROM"), (2, 2, "ENV"), (3, 3, "RUN")]),
        ("FROM a\nRUN b << E\nRUN c", [(1, 1, "FROM"), (2, 2, "RUN"), (3, 3, "RUN")]),
        ("FROM a\nRUN <<E\nopen", [(1, 1, "FROM"), (2, 3, "RUN")]),
        ("FROM a\nONBUILD RUN <<E\nx\nE\n", [(1, 1, "FROM"), (2, 4, "ONBUILD")]),
    ],
)
def test_instructions(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert structure(text) == expected


def test_flags_stand_before_arguments() -> None:
    (_, run) = instructions(
        SourceText("D", "FROM a\nRUN --mount=type=cache,target=/c \\\n --network=none pip x")
    )
    assert [flag.text for flag in run.flags] == ["--mount=type=cache,target=/c", "--network=none"]
    assert run.arguments.text == "pip x"
    assert run.name_span.text == "RUN"


STAGES = """\
ARG CUDA=12.4.1
ARG TAG
FROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS Base
RUN pip install torch==2.5.1
FROM base AS build
RUN pip install 'numpy<2'
FROM example/app:${TAG}
COPY --from=build /x /x
RUN pip install scipy
FROM scratch
"""


def test_stages() -> None:
    source = read(STAGES)
    assert source.role == IMAGE
    found = [(one.image, one.name, one.group, one.parent) for one in source.stages]
    assert found == [
        ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "base", "stage:base", None),
        ("base", "build", "stage:build", 0),
        ("example/app:${TAG}", "", "stage:2", None),
        ("scratch", "", "stage:3", None),
    ]
    first, _, third, last = source.stages
    assert first.platform == "linux/amd64"
    assert first.span.text == "nvidia/cuda:${CUDA}-devel-ubuntu22.04"
    assert (first.tag, first.is_complete) == ("12.4.1-devel-ubuntu22.04", True)
    assert not third.is_complete
    assert last.is_empty
    assert [(one.name, one.group) for one in source.requirements] == [
        ("torch", "stage:base"),
        ("numpy", "stage:build"),
        ("scipy", "stage:2"),
    ]
    assert source.groups.includes["stage:build"] == ("stage:base",)
    assert {"stage:base", "stage:build", "stage:2"} <= source.groups.standalone


def test_the_scope_of_variables() -> None:
    source = read(
        "ARG A=1\nARG B=1\nFROM x AS one\nARG A\nENV C=${A}.5 D=$C\n"
        "RUN pip install a==$A b==$B c==$C d==$D e==${E:-7}\n"
        "FROM one\nRUN pip install c==$C\n"
        "FROM y\nRUN pip install c==$C\n"
    )
    assert named(source) == ["a==1", "b==$B", "c==1.5", "d==$D", "e==7", "c==1.5", "c==$C"]


def test_a_command_knows_the_assignments_of_its_own_line_only() -> None:
    source = read("FROM a\nENV V=1\nRUN V=2 && pip install a==$V\nRUN pip install b==$V\n")
    assert named(source) == ["a==2", "b==1"]


def test_requirements_stand_inside_of_their_lines() -> None:
    text = (
        "FROM a\n"
        "RUN apt-get update && \\\n"
        "    # the newest\n"
        "    pip install --no-cache-dir \\  \n"
        "      'torch==2.1.0' \\\n"
        "\n"
        "      numpy>=1.20 && \\\n"
        "    conda install -y scipy=1.9\n"
    )
    source = read(text)
    assert [(one.span.text, one.span.line) for one in source.requirements] == [
        ("torch==2.1.0", 5),
        ("numpy", 7),
        ("scipy=1.9", 8),
    ]
    assert [span.text for one in source.commands for span in one.redirections] == ["numpy>=1.20"]
    assert not source.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN <<E\npip install a==1\n\npip install b\nE\n", ["a==1", "b"]),
        ("RUN <<E bash\npip install a\nE\n", ["a"]),
        ("RUN bash -e <<'E'\npip install a\nE\n", ["a"]),
        ("RUN <<E\n#!/usr/bin/env python3\npip install a\nE\n", []),
        ("RUN python3 <<E\npip install a\nE\n", []),
        ("COPY <<E /x.sh\npip install a\nE\n", []),
        ("RUN --mount=type=cache,target=/c pip install a", ["a"]),
        ('RUN ["pip", "install", "a>=1", "b"]', ["a>=1", "b"]),
        ('RUN ["/bin/bash", "-c", "pip install \'a>=1\' && pip install b"]', ["a>=1", "b"]),
        ("RUN [ -f x ] && pip install a", ["a"]),
        ("ONBUILD RUN pip install a", ["a"]),
        ('SHELL ["conda", "run", "-n", "e", "/bin/bash", "-c"]\nRUN pip install a', ["a"]),
        ("CMD pip install a", []),
        ("# RUN pip install a", []),
        ('LABEL x="pip install a"', []),
    ],
)
def test_what_is_run(text: str, expected: list[str]) -> None:
    source = read("FROM x\n" + text)
    assert named(source) == expected
    assert not any(command.redirections for command in source.commands)
    for requirement in source.requirements:
        assert requirement.name_span is not None
        assert requirement.name_span.text == requirement.written


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["COPY requirements.txt .", "RUN pip install -r requirements.txt"], ["requirements.txt"]),
        (["COPY . /app", "WORKDIR /app/sub", "RUN pip install -r a.txt"], ["sub/a.txt"]),
        (["COPY deps/a.txt /tmp/", "RUN pip install -r /tmp/a.txt"], ["deps/a.txt"]),
        (["COPY deps/a.txt /tmp/b.txt", "RUN pip install -r /tmp/b.txt"], ["deps/a.txt"]),
        (["ADD ./deps /opt/deps", "RUN cd /opt && pip install -r deps/a.txt"], ["deps/a.txt"]),
        (["COPY deps/*.txt ./", "RUN pip install -r b.txt"], ["deps/b.txt"]),
        (['COPY ["a.txt", "b.txt", "./"]', "RUN pip install -r b.txt"], ["b.txt"]),
        (
            ["WORKDIR /w", "COPY --chown=me:me a.txt b.txt c/", "RUN pip install -r /w/c/a.txt"],
            ["a.txt"],
        ),
        (["COPY --parents deps/a.txt /w/", "RUN pip install -r /w/deps/a.txt"], ["deps/a.txt"]),
        (["ENV D=/srv", "WORKDIR $D", "COPY a.txt $D/", "RUN pip install -r a.txt"], ["a.txt"]),
        (["COPY a.txt $HOME/x/", "RUN pip install -r ${HOME}/x/a.txt"], ["a.txt"]),
        (
            ["RUN --mount=type=bind,source=a.txt,target=/t/r.txt pip install -r /t/r.txt"],
            ["a.txt"],
        ),
        (["RUN --mount=target=/src pip install -r /src/deps/a.txt"], ["deps/a.txt"]),
        (
            ["COPY environment.yml /e/", "RUN conda env update -f /e/environment.yml"],
            ["environment.yml"],
        ),
        (["COPY old.txt /r.txt", "COPY new.txt /r.txt", "RUN pip install -r /r.txt"], ["new.txt"]),
        (["RUN pip install -r requirements.txt"], []),
        (["COPY . /app", "RUN pip install -r /other/a.txt"], []),
        (["COPY --from=other/image /a.txt /b.txt", "RUN pip install -r /b.txt"], []),
        (["ADD https://files.example/a.txt /a.txt", "RUN pip install -r /a.txt"], []),
        (["COPY a.txt /", "RUN echo x >> /a.txt", "RUN pip install -r /a.txt"], []),
        (["RUN --mount=type=cache,target=/c pip install -r /c/a.txt"], []),
        (["COPY . .", "WORKDIR $X/$(y)", "RUN pip install -r a.txt"], []),
    ],
)
def test_files_are_mapped_back_to_the_repository(lines: list[str], expected: list[str]) -> None:
    source = read("\n".join(["FROM x", *lines]))
    assert targets(source) == expected
    assert all(one.anywhere and one.group == "stage:0" for one in source.includes)


@pytest.mark.parametrize("name", ["me", "1", "2", "0000001", "000000" + "9" * 5000, "\u00b2"])
@pytest.mark.parametrize("line", ["COPY --from={} /v /v\nRUN", "RUN --mount=from={},target=/v"])
def test_a_stage_takes_no_files_from_itself_or_from_later_ones(line: str, name: str) -> None:
    source = read(f"FROM x\nFROM y AS me\n{line.format(name)} pip install -r /v/a.txt\nFROM z\n")
    assert targets(source) == []


@pytest.mark.parametrize(("stages", "expected"), [(50, ["a.txt"]), (1500, [])])
def test_files_are_followed_through_so_many_stages(stages: int, expected: list[str]) -> None:
    chain = "".join(f"FROM x\nCOPY --from={at} /w /w\n" for at in range(stages))
    source = read(f"FROM x\nCOPY . /w\n{chain}RUN pip install -r /w/a.txt\n")
    assert targets(source) == expected


def test_files_follow_from_stage_to_stage() -> None:
    source = read(
        "FROM x AS one\nWORKDIR /w\nCOPY deps ./deps\n"
        "FROM one AS two\nRUN pip install -r deps/a.txt\n"
        "FROM y\nCOPY --from=two /w/deps/b.txt /r.txt\nRUN pip install -r /r.txt\n"
        "FROM z\nCOPY --from=0 /w /v\nRUN pip install -r /v/deps/c.txt\n"
    )
    assert targets(source) == ["deps/a.txt", "deps/b.txt", "deps/c.txt"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["WORKDIR /app", "COPY . .", "RUN pip install -e .[train]"], ".[train]"),
        (["COPY . /app", "RUN pip install /app/server"], "server"),
        (
            [
                "WORKDIR /app",
                "COPY pyproject.toml README.md ./",
                "COPY src ./src",
                "RUN pip install .",
            ],
            ".",
        ),
        (["COPY lib/setup.py lib/x.py /lib/", "RUN cd /lib && pip install ."], "lib"),
        (["RUN git clone https://git.example/x /x && cd /x && pip install ."], ""),
    ],
)
def test_local_projects(lines: list[str], expected: str) -> None:
    source = read("\n".join(["FROM x", *lines]))
    assert [one.project for one in source.commands] == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM python:3.10-slim", ["python 3.10 3.10"]),
        ("FROM python:3.10.4", ["python 3.10.4 3.10.4"]),
        ("FROM python:3", ["python 3 3"]),
        ("FROM python:slim", []),
        ("FROM mirror.example:5000/library/python:3.11-alpine", ["python 3.11 3.11"]),
        ("FROM registry.example/devcontainers/python:1-3.11-bookworm", ["python 3.11 3.11"]),
        ("FROM registry.example/uv:python3.12-bookworm", ["python 3.12 3.12"]),
        ("FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", ["cuda 12.4.1 12.4.1"]),
        ("FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel", ["cuda 12.1 12.1"]),
        (
            "FROM example/base:24.02-cuda11.8-py310",
            ["python 3.10 example/base:24.02-cuda11.8-py310", "cuda 11.8 11.8"],
        ),
        ("ARG V=3.9\nFROM python:${V}", ["python 3.9 python:${V}"]),
        ("FROM python:${V}", []),
        (
            "FROM x\nARG PYTHON_VERSION=3.9\nRUN conda install python=$PYTHON_VERSION",
            ["python 3.9 3.9"],
        ),
        ("FROM x\nARG PYTHON_VERSION=3.9\nRUN true", []),
        (
            "ARG PYTHON_VERSION=3.9\nFROM x\nARG PYTHON_VERSION\nRUN uv venv -p ${PYTHON_VERSION}",
            ["python 3.9 3.9"],
        ),
        ("FROM x\nENV UV_PYTHON=3.12", ["python 3.12 3.12"]),
    ],
)
def test_what_base_images_and_variables_state(text: str, expected: list[str]) -> None:
    source = read(text)
    found = [f"{one.subject} {one.value} {one.span.text}" for one in source.statements]
    assert found == expected
    assert all(one.group == "stage:0" for one in source.statements)


def test_versions_of_statements() -> None:
    (minor,) = read("FROM python:3.10").statements
    assert str(minor.versions) == "==3.10.*"
    (patch,) = read("FROM python:3.10.2").statements
    assert str(patch.versions) == "==3.10.2"


def test_where_libraries_are_looked_for_first() -> None:
    recipe = (
        "FROM a AS one\nARG LD_LIBRARY_PATH=/x\n"
        "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64:$LD_LIBRARY_PATH\n"
        "FROM b\nENV LD_LIBRARY_PATH /opt/lib\n"
    )
    found = [s for s in read(recipe).statements if s.subject == "library-path"]
    assert [(s.span.text, s.group.rpartition(":")[2]) for s in found] == [
        ("/usr/local/cuda/lib64:$LD_LIBRARY_PATH", "one"),
        ("/opt/lib", "1"),
    ]


def test_indexes() -> None:
    source = read(
        "FROM x\n"
        "ENV PIP_INDEX_URL=https://a.example/simple PIP_NO_CACHE_DIR=1\n"
        "ARG UV_EXTRA_INDEX_URL=https://b.example/simple\n"
        "RUN pip config set global.extra-index-url https://c.example/simple\n"
        "RUN pip install --find-links https://d.example a\n"
        "RUN pip install b\n"
    )
    found = [(one.kind, one.url) for one in source.indexes]
    assert sorted(found) == [
        ("extra", "https://b.example/simple"),
        ("extra", "https://c.example/simple"),
        ("find-links", "https://d.example"),
        ("index", "https://a.example/simple"),
    ]


def test_what_runs_only_sometimes_is_no_conflict() -> None:
    source = read(
        "FROM x\n"
        "RUN pip install numpy && if [ $GPU ]; then pip install a==1; else pip install a==2; fi\n"
    )
    groups = {str(one.versions) or one.name: one.group for one in source.requirements}
    assert groups["numpy"] == "stage:0"
    assert len(set(groups.values())) == 3
    for group in set(groups.values()) - {"stage:0"}:
        assert source.groups.includes[group] == ("stage:0",)


def test_what_is_no_dockerfile() -> None:
    (problem,) = read("RUN pip install x\n").problems
    assert problem.kind == NOT_A_MANIFEST
    source = read("<<<<<<< a\nFROM x\n=======\nFROM y\n>>>>>>> b\n")
    assert [one.kind for one in source.problems] == [MERGE_CONFLICT]
    assert read("FROM x\nRUNN pip install y\nINCLUDE z\n").problems == ()


TOKENS = (
    "FROM RUN COPY ENV ARG WORKDIR ONBUILD AS pip install torch==1 x>=1 -r a.txt <<E E \\ # ` [ ] "
    '" $X ${ $( --from=0 --mount=type=bind,target=/x ["a","b"] A=1 \n \r\n \t é \0'
)


@given(st.lists(st.sampled_from(TOKENS.split(" ")), max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_spans_inside_it(words: list[str]) -> None:
    text = "FROM x\n" + " ".join(words)
    source = read(text)
    spans = [
        one.span
        for part in (
            source.requirements,
            source.problems,
            source.includes,
            source.indexes,
            source.statements,
            source.stages,
            source.commands,
        )
        for one in part
    ]
    spans += [span for one in source.commands for span in one.redirections]
    assert all(0 <= span.start <= span.end <= len(text) for span in spans)
    for requirement in source.requirements:
        if requirement.name_span is not None:
            assert requirement.name_span.text == requirement.written


@pytest.mark.parametrize(
    "unit",
    [
        "RUN pip install a \\\n b>=1\n",
        "COPY a /b\nRUN pip install -r /c\n",
        "FROM x AS y\nENV A=$A$A\n",
        "RUN export PIP_INDEX_URL=a\n",
        "RUN <<E <<F\n",
    ],
)
def test_long_files_take_linear_time(unit: str) -> None:
    started = time.process_time()
    read("FROM x\nENV A=xx\n" + unit * 3_000)
    assert time.process_time() - started < 20
