"""Readers of manifests on spoilt texts: no exception, and every span inside its file."""

from __future__ import annotations

import random
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from mlenv.model.text import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.source import Source
    from mlenv.model.text import Span

SAMPLES = {
    "setup_cfg": (
        "[metadata]\nname = lib\nurl = x\n[options]\npython_requires = >=3.9\nk = b>=1\n"
        "install_requires =\n    torch>=2.1\n    # no\n    %(k)s\n    numpy; os_name == 'nt'\n"
        "[options.extras_require]\na = file: a.txt, b.txt\nb = %(a)s\n"
    ),
    "setup_py": (
        "import os, sys\nfrom setuptools import setup\nhere = os.path.dirname(__file__)\n"
        "def load(name):\n    with open(os.path.join(here, name)) as f:\n"
        "        return [x.strip() for x in f if x]\n"
        "reqs = ['torch>=2.1', f'é{here}'] + load('reqs.txt')\n"
        "if sys.platform == 'linux':\n    reqs += ['triton']\nelse:\n    reqs.append('b')\n"
        "extras = {'a': ['x'], **other}\nfor name in ['p', 'q']:\n    extras[name] = [name]\n"
        "try:\n    pass\nexcept ValueError:\n    reqs.extend('''a\nb'''.split())\n"
        "setup(name='lib', install_requires=reqs, extras_require=extras, python_requires='>=3')\n"
    ),
    "pipfile": (
        '[[source]]\nurl = "https://index.example/simple"\nverify_ssl = false\nname = "main"\n'
        '[packages]\ntorch = ">=2.1"\na = { version = "*", os_name = "== \'nt\'" }\n'
        'b = { git = "https://g.example/b", ref = "x" }\n[requires]\npython_version = "3.9"\n'
    ),
    "conda_recipe": (
        '{% set v = "1.0" %}\npackage:\n  name: lib\n  version: {{ v }}\nrequirements:\n  host:\n'
        "    - python >=3.9  # [linux]\n    {% if x %}\n    - a {{ v }}\n    {% endif %}\n  run:\n"
        "    - if: linux\n      then: [b, c >=1]\n      else: d\n    - {{ pin_compatible('np') }}\n"
        "outputs:\n  - name: y\n    requirements: [q]\n"
    ),
    "rapids": (
        "files: {}\nchannels: [conda-forge]\ndependencies:\n  run:\n    common:\n"
        "      - output_types: [conda, requirements]\n        packages:\n          - &a torch>=2\n"
        "          - *a\n          - pip:\n              - x\n    specific:\n"
        "      - output_types: conda\n        matrices:\n          - matrix: {cuda: '12'}\n"
        "            packages: [y=1]\n"
    ),
    "mlproject": "name: x\npython_env: env.yaml\ndocker_env:\n  image: ml:1\n",
    "mlflow_env": "python: 3.9.7\nbuild_dependencies: [pip]\ndependencies:\n- -r r.txt\n- a==1\n",
}
TOKENS = (
    *("\0", "\r", "\t", "'", '"', '"""', "[", "]", "{{", "}}", "{%", "%}", "%(", "%(a)s", "%", "#"),
    *(";", "\\", "é", "😀", "\u202e", "\ud800", "=", ":", "- ", "   ", "\n", "*", "&a"),
    *("lambda", "if ", "else:", "+=", ".append(", "f'", "{", "}", "\x85", "\u2028", "file: "),
    *("\x1c", "<<", "(", ")"),
)  # fmt: skip
ROUNDS = 400


def spoilt(text: str, random_source: random.Random) -> str:
    for _ in range(random_source.randint(1, 4)):
        lines = text.split("\n")
        line = random_source.randrange(len(lines))
        at = random_source.randint(0, len(text))
        match random_source.randrange(6):
            case 0:
                del lines[line]
                text = "\n".join(lines)
            case 1:
                lines.insert(random_source.randrange(len(lines)), lines[line])
                text = "\n".join(lines)
            case 2 | 3:
                token = random_source.choice(TOKENS) * random_source.choice((1, 1, 2, 30))
                text = text[:at] + token + text[at + random_source.choice((0, 1, 5)) :]
            case 4:
                noise = bytes(random_source.randrange(256) for _ in range(8))
                text = text[:at] + noise.decode("utf-8", "surrogateescape") + text[at:]
            case _:
                text = text.replace("\n", random_source.choice(("\r\n", "\r", "\n")))
    return text


def spans(source: Source) -> Iterator[Span | None]:
    for requirement in source.requirements:
        yield from (requirement.span, requirement.name_span, requirement.specifier_span)
    for problem in source.problems:
        yield problem.span
        yield from (span for span, _ in problem.related)
    yield from (include.span for include in source.includes)
    yield from (index.span for index in source.indexes)
    yield from (channel.span for channel in source.channels)
    yield from (statement.span for statement in source.statements)
    yield from (stage.span for stage in source.stages)
    yield source.packaging.span if source.packaging is not None else None


@pytest.mark.parametrize("reader", SAMPLES)
def test_a_spoilt_manifest_is_read_without_harm(reader: str) -> None:
    read = import_module(f"mlenv.project.manifests.{reader}").read
    random_source = random.Random(reader)
    for _ in range(ROUNDS):
        text = spoilt(SAMPLES[reader], random_source)
        source: Source = read(SourceText("file", text))
        for span in spans(source):
            assert span is None or 0 <= span.start <= span.end <= len(text), text
        for requirement in source.requirements:
            named = requirement.name_span
            assert named is None or named.text == requirement.written, text
