"""The installing commands of shell scripts: what they name, from where, and what the shell eats."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.model.image import InstallCommand
from mlenv.model.requirement import CONDA, PYPI
from mlenv.model.source import UNREADABLE_LINE, Problem
from mlenv.model.text import Fragment, SourceText
from mlenv.project.shell.installs import read_installs


def read(
    text: str, variables: dict[str, str] | None = None, folder: str = ""
) -> tuple[list[InstallCommand], list[Problem]]:
    source = SourceText("setup.sh", text)
    return read_installs(
        Fragment.of(source, 0, len(text)), variables=variables or {}, folder=folder
    )


def only(text: str, variables: dict[str, str] | None = None) -> InstallCommand:
    (command,), problems = read(text, variables)
    assert not problems
    return command


def named(command: InstallCommand) -> list[str]:
    return [f"{one.name}{one.versions}" for one in command.requirements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "pip install torch==2.1 'numpy>=1.2' \"a[b,c]~=1.0\"",
            ["torch==2.1", "numpy>=1.2", "a~=1.0"],
        ),
        ("pip install -U --user -q torch", ["torch"]),
        ("pip --no-cache-dir --timeout 60 install torch", ["torch"]),
        ("pip install --root / --prefix=/opt -t dir --platform any --abi none torch", ["torch"]),
        ("pip install --only-binary :all: --no-binary x --report r.json torch", ["torch"]),
        ("pip install --upgrade-strategy eager --upgrade --progress-bar off torch", ["torch"]),
        ("pip install --extra-index https://index.example/simple torch", ["torch"]),
        ("pip3.11 install torch", ["torch"]),
        ("uv pip install --system --torch-backend cu126 -p 3.11 --link-mode copy torch", ["torch"]),
        ("uv --directory app pip install --index-strategy unsafe-best-match torch", ["torch"]),
        ("uv pip install --group dev -P x --config-setting a=b torch", ["torch"]),
        ("uv add --group train --index https://index.example/simple torch==2.1", ["torch==2.1"]),
        ("pdm add -G train torch>=2", ["torch"]),
        ("pipenv install 'torch<3'", ["torch<3"]),
        (
            "poetry add --group train torch@^2.1 'numpy<2' tool@latest",
            ["torch<3.0,>=2.1", "numpy<2", "tool"],
        ),
        ("pip install torch 2>/dev/null >log.txt", ["torch"]),
        ("pip install torch || true", ["torch"]),
    ],
)
def test_requirements_of_pypi(text: str, expected: list[str]) -> None:
    command = only(text)
    assert named(command) == expected
    assert {one.ecosystem for one in command.requirements} == {PYPI}
    for one in command.requirements:
        assert one.name_span is not None
        assert one.name_span.text == one.written


@pytest.mark.parametrize(
    ("text", "tool", "action", "expected"),
    [
        (
            "conda install -y -c pytorch -n base pytorch=2.1 'numpy<2'",
            "conda",
            "install",
            ["pytorch==2.1.*", "numpy<2"],
        ),
        (
            "mamba create -yn train -c conda-forge python=3.10",
            "mamba",
            "create",
            ["python==3.10.*"],
        ),
        ("micromamba install -n base -y conda-forge::faiss", "micromamba", "install", ["faiss"]),
        ("conda update -n base -f conda", "conda", "update", ["conda"]),
        ("pixi add numpy", "pixi", "add", ["numpy"]),
    ],
)
def test_requirements_of_conda(text: str, tool: str, action: str, expected: list[str]) -> None:
    command = only(text)
    assert (command.tool, command.action) == (tool, action)
    assert named(command) == expected
    assert {one.ecosystem for one in command.requirements} == {CONDA}


@pytest.mark.parametrize(
    ("text", "tool", "packages"),
    [
        (
            "apt-get update && apt-get install -y -t bookworm gcc libfoo=1.2-3 g++",
            "apt",
            ["gcc", "libfoo=1.2-3", "g++"],
        ),
        ("apt install --no-install-recommends -o A=b libc6:i386", "apt", ["libc6:i386"]),
        ("apk add --no-cache -t .build gcc 'musl=1.2'", "apk", ["gcc", "musl=1.2"]),
        ("yum -y install gcc && yum clean all", "yum", ["gcc"]),
        ("microdnf install -y git", "microdnf", ["git"]),
    ],
)
def test_packages_of_the_system(text: str, tool: str, packages: list[str]) -> None:
    command = only(text)
    assert command.tool == tool
    found = [
        one.name + ("=" + one.version if one.version else "") for one in command.system_packages
    ]
    assert found == packages
    assert not command.requirements


@pytest.mark.parametrize(
    ("text", "follows", "ignores"),
    [
        ("uv sync --frozen --no-dev", True, False),
        ("poetry install --only main --no-root", True, False),
        ("poetry export -f requirements.txt -o out.txt", True, False),
        ("pdm sync", True, False),
        ("pipenv install --system --deploy", True, False),
        ("pipenv install --skip-lock", False, True),
        ("pixi install --locked", True, False),
        ("conda-lock install -n train conda-lock.yml", True, False),
        ("pip install x", False, False),
    ],
)
def test_what_takes_versions_from_a_lock(text: str, *, follows: bool, ignores: bool) -> None:
    command = only(text)
    assert (command.follows_lock, command.ignores_lock) == (follows, ignores)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (
            "pip install -r a.txt -c b.txt --requirement=c.txt -rd.txt",
            ["a.txt", "b.txt!", "c.txt", "d.txt"],
        ),
        ("uv pip sync requirements.lock", ["requirements.lock"]),
        ("uv pip install -r pyproject.toml --extra train", ["pyproject.toml"]),
        ("conda env create -q -f env/gpu.yml", ["env/gpu.yml"]),
        ("conda env update --file environment.yml --prune", ["environment.yml"]),
        ("micromamba create -f lock.txt", ["lock.txt"]),
        ("cd sub && pip install -r a.txt -r ../b.txt", ["sub/a.txt", "b.txt"]),
        ("(cd sub); pip install -r a.txt", ["a.txt"]),
        ("cd $WORK && pip install -r a.txt", []),
        ("[ -d sub ] && cd sub && pip install -r a.txt", ["sub/a.txt"]),
        ("[ -d sub ] && cd sub; pip install -r a.txt", []),
        ("if [ -d sub ]; then cd sub; fi; pip install -r a.txt", []),
        ("pip install -r $FILE -r <(cat x) -r /dev/stdin -r -", []),
        ("grep -v torch a.txt > b.txt; pip install -r b.txt", []),
        ("sed -i /torch/d a.txt; pip install -r a.txt", []),
    ],
)
def test_files(text: str, files: list[str]) -> None:
    commands, _ = read(text)
    found = [one.target + "!" * one.constraint for one in commands[-1].files]
    assert found == files
    assert all(one.anywhere for one in commands[-1].files)


def test_includes_know_their_places() -> None:
    command = only("pip install -r 'deps/a.txt'", {})
    assert command.files[0].span.text == "deps/a.txt"
    (command,), _ = read("pip install -r a.txt", folder="jobs/train")
    assert command.files[0].target == "jobs/train/a.txt"


@pytest.mark.parametrize(
    ("text", "project"),
    [
        ("pip install .", "."),
        ("pip install -e '.[train, dev]'", ".[train, dev]"),
        ("pip install --no-deps -e ./package", "./package"),
        ("pip install -e package", "package"),
        ("pip install -e .[$EXTRAS]", "."),
        ("pip install /wheels/*.whl", ""),
        ("pip install -e git+https://git.example/tool.git@v1#egg=tool", ""),
        ("pip install torch", ""),
    ],
)
def test_local_projects(text: str, project: str) -> None:
    assert only(text).project == project


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        (
            "pip install -i https://a.example/simple --extra-index-url=https://b.example/simple x",
            ["index https://a.example/simple", "extra https://b.example/simple"],
        ),
        (
            "PIP_INDEX_URL=https://a.example/simple sudo pip install x -f wheels --no-index",
            ["find-links wheels", "none ", "index https://a.example/simple"],
        ),
        (
            "pip install x --trusted-host a.example",
            ["trusted-host a.example"],
        ),
        (
            "uv pip install x --index inner=https://a.example/simple --default-index $INDEX",
            ["extra https://a.example/simple", "index $INDEX"],
        ),
        (
            "pip config set global.index-url https://a.example/simple\npip install x",
            ["index https://a.example/simple"],
        ),
        (
            "export PIP_EXTRA_INDEX_URL='https://a.example/1 https://a.example/2'\npip install x",
            ["extra https://a.example/1", "extra https://a.example/2"],
        ),
        ("UV_INDEX_URL=https://a.example/simple pip install x", []),
    ],
)
def test_indexes(text: str, indexes: list[str]) -> None:
    assert [f"{one.kind} {one.url}" for one in only(text).indexes] == indexes


@pytest.mark.parametrize(
    ("text", "names", "stretches"),
    [
        ("pip install torch>=2.1 numpy", ["torch", "numpy"], ["torch>=2.1"]),
        ("pip install torch >=2.1", ["torch"], ["torch >=2.1"]),
        ("pip install numpy<2", ["numpy"], ["numpy<2"]),
        ("pip install numpy>=1.20,<2 scipy", ["numpy", "scipy"], ["numpy>=1.20,<2"]),
        ("pip install a[b]>1.0.post1", ["a"], ["a[b]>1.0.post1"]),
        ("conda install -y numpy>=1.2", ["numpy"], ["numpy>=1.2"]),
        ("pip install 'numpy>=1.2' > log 2>&1", ["numpy>=1.2"], []),
        ("pip install numpy >2.txt", ["numpy"], []),
        ("pip install numpy>log.txt", ["numpy"], []),
        ("pip install -r a.txt<b.txt", [], []),
        ("pip install numpy\\>=1.2", ["numpy>=1.2"], []),
    ],
)
def test_a_version_behind_an_unquoted_bracket_is_a_redirection(
    text: str, names: list[str], stretches: list[str]
) -> None:
    command = only(text)
    assert named(command) == names
    assert [span.text for span in command.redirections] == stretches


def test_what_a_variable_leaves_open_is_not_claimed() -> None:
    command = only(
        'pip install torch==$A "x[y]>=${B}" $C torch$D ${E}torch $(cat f) `cat g` a@$URL'
    )
    assert [(one.name, one.versions.is_any) for one in command.requirements] == [
        ("torch", False),
        ("x", False),
    ]
    assert all(one.versions.exact is None for one in command.requirements)
    assert command.requirements[1].extras == ("y",)
    assert [one.name_span and one.name_span.text for one in command.requirements] == ["torch", "x"]
    assert named(only("conda install pytorch=$A $B")) == ["pytorch=$A"]


def test_known_variables_are_filled_in() -> None:
    command = only("pip install torch==${V}+$C $MORE", {"V": "2.1.0", "C": "cu121", "MORE": "a b"})
    assert named(command) == ["torch==2.1.0+cu121", "a", "b"]
    assert command.requirements[0].span.text == "torch==${V}+$C"
    assert command.requirements[0].name_span is not None
    assert command.requirements[0].specifier_span is None


def test_scripts_inside_of_scripts() -> None:
    commands, problems = read(
        "bash -lc 'pip install a==1 && pip install \"b>=2\"'\n"
        "sh <<'E'\npip install c\nE\n"
        'eval "pip install d"\n'
        "x=$(pip install e)\n"
        "cat <<E\npip install f\nE\n"
    )
    assert not problems
    assert [named(one) for one in commands] == [["a==1"], ["b>=2"], ["c"], ["d"], ["e"]]
    for command in commands:
        assert command.requirements[0].name_span is not None


def test_a_tool_in_an_environment_of_its_own_meets_nothing_else() -> None:
    commands, _ = read("pipx install black\nuv tool install ruff==0.1 --with x\npip install torch")
    groups = [one.group for command in commands for one in command.requirements]
    assert groups == ["env:black", "env:ruff", "env:ruff", "main"]


def test_a_second_conda_environment_meets_nothing_else() -> None:
    commands, _ = read("conda create -n a numpy=1\nconda create -n b numpy=2\nconda install x")
    assert [one.group for one in commands] == ["main", "env:b", "main"]
    assert commands[1].requirements[0].group == "env:b"


@pytest.mark.parametrize(
    "text",
    [
        "pip uninstall -y torch",
        "pip list",
        "pip install --help",
        "conda activate train",
        "apt-get update",
        "apt-get remove gcc",
        "uv venv --python 3.11",
        "uv python install 3.11",
        "uv pip uninstall x",
        "echo 'pip install torch'",
        "# pip install torch",
        "docker run image pip install torch",
        "brew install x",
        "cat <<E > install.sh\npip install x\nE",
        "python - <<E\nimport pip\npip install x\nE",
        'Write-Host "pip install torch"',
        "rem pip install torch",
        "pip",
    ],
)
def test_what_installs_nothing(text: str) -> None:
    assert read(text) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "pip install torch `\r\n  numpy `\r\n  --user",
        "pip install torch ^\r\n  numpy ^\r\n  --user",
        '$env:X = "1"\r\nif ($true) { pip install torch numpy }',
    ],
)
def test_shells_of_windows(text: str) -> None:
    commands, problems = read(text)
    assert not problems
    assert [one.name for one in commands[0].requirements][:2] == ["torch", "numpy"]


def test_what_pip_refuses_is_a_problem() -> None:
    (command,), (problem,) = read("pip install torch=2.1 numpy")
    assert problem.kind == UNREADABLE_LINE
    assert problem.span.text == "torch=2.1"
    assert [one.name for one in command.requirements] == ["torch", "numpy"]
    assert read("pip install package==X.Y.Z{x} <name> %PKG% foo=$V 'bar=={{ v }}'")[1] == []


TOKENS = (
    "pip uv conda install -r x.txt torch>=1 'a<2' \" ' $X ${ $( ) ` \n \\\n ; && <<E E >=1 cd .. "
    "-e . [b] -i = é bash -c apt add poetry @ # \0"
)


@given(st.lists(st.sampled_from(TOKENS.split(" ")), max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_spans_inside_it(words: list[str]) -> None:
    text = " ".join(words)
    commands, problems = read(text)
    spans = [one.span for one in commands] + [one.span for one in problems]
    for command in commands:
        spans += [one.span for one in command.requirements]
        spans += [one.span for one in command.files]
        spans += [one.span for one in command.indexes]
        spans += command.redirections
        for requirement in command.requirements:
            if requirement.name_span is not None:
                assert requirement.name_span.text == requirement.written
    assert all(0 <= span.start <= span.end <= len(text) for span in spans)
