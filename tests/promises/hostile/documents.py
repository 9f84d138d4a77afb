"""Documents that a parser may choke on: deep, recursive, self-referring, or bait for patterns."""

from __future__ import annotations

from .cases import PASSWORD, texts

DEEP = 10_000

texts(
    "a YAML bomb",
    {
        "environment.yml": "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n"
            for n in range(12)
        )
        + "dependencies: *m\n",
        ".github/workflows/a.yml": "y0: &y0 {run: pip install a}\n"
        + "".join(f"y{n + 1}: &y{n + 1} [{', '.join([f'*y{n}'] * 9)}]\n" for n in range(9))
        + "jobs:\n  a:\n    steps: *y9\n",
        "compose.yaml": "x: &x {image: a}\ny: &y {<<: [*x, *x], a: *x}\nservices: {a: *y, b: *y}\n",
    },
)  # fmt: skip
texts(
    "YAML that contains itself",
    {
        "environment.yml": "dependencies: &a\n- *a\n- numpy\n- pip: *a\n",
        ".gitlab-ci.yml": "a: &a\n  script: [pip install a]\n  <<: *a\nb:\n  <<: [*a, *a]\n",
        "compose.yaml": "services: &s\n  a: {build: *s, image: *s, <<: *s}\n",
        "dependencies.yaml": "files: &f\n  all: {includes: *f, matrix: *f}\ndependencies: *f\n",
        "cog.yaml": "build: &b\n  run: *b\n  python_packages: *b\n",
    },
)
texts(
    "YAML with tags of Python",
    {
        name: f"name: x\nchannels: [a]\n{key}:\n- !!python/object/apply:os.system ['touch owned']\n"
        "- !!python/name:os.system\n- !!binary aGk=\n- !<tag:yaml.org,2002:python/object> {}\n"
        for name, key in (
            ("environment.yml", "dependencies"), ("cog.yaml", "build"),
            ("compose.yaml", "services"), ("meta.yaml", "requirements"),
            ("dependencies.yaml", "files"), ("MLproject", "docker_env"),
            (".github/workflows/a.yml", "jobs"), ("bentofile.yaml", "python"),
        )
    },
)  # fmt: skip
texts(
    "YAML with keys twice",
    {
        "environment.yml": "dependencies: [a]\ndependencies: [b]\nname: x\nname: {}\nchannels: 1\n",
        "cog.yaml": "build: {gpu: true, gpu: []}\nbuild: 1\nimage: {}\nimage: x\n",
        "compose.yaml": "services: {a: {image: x}, a: {image: y}}\nservices: []\n",
    },
)
texts(
    "a flood of YAML directives",
    {
        name: "".join(f"%TAG !a{n}! x\n" for n in range(5_000)) + "%YAML 1.1\n---\n" + rest
        for name, rest in (
            ("environment.yml", "dependencies: [a]\n"), ("cog.yaml", "build: {}\n"),
            (".github/workflows/a.yml", "jobs: {}\n"), ("pixi.lock", "version: 6\n"),
        )
    },
)  # fmt: skip
texts("a flood of YAML documents", {"environment.yml": "---\ndependencies: [a]\n" * 5_000})
texts(
    "deep YAML",
    {
        "environment.yml": "dependencies: " + "[" * DEEP,
        "cog.yaml": "build: " + "{a: " * DEEP,
        "compose.yaml": "services:\n" + "- " * DEEP,
        "dependencies.yaml": "files:\n" + "".join(" " * n + "a:\n" for n in range(1_000)),
        ".gitlab-ci.yml": "a: {script: " + "[" * 900 + "pip install a" + "]" * 900 + "}\n",
        "meta.yaml": "package:\n" + "? " * DEEP,
    },
)
texts(
    "deep JSON",
    {
        "Pipfile.lock": '{"default": ' + '{"a": ' * DEEP + "}" * DEEP,
        "devcontainer.json": '{"build": ' + "[" * DEEP,
        ".devcontainer/devcontainer.json": '{"a": ' * 900 + "1" + "}" * 900 + "/*" * DEEP,
        "Dockerfile": "FROM a\nRUN " + "[" * DEEP + '"a"\n',
    },
)
texts(
    "deep TOML",
    {
        "pyproject.toml": "a = " + "[" * DEEP,
        "pixi.toml": "a = " + "{a = " * DEEP,
        "Pipfile": "[" + "a." * DEEP + "a]\n" + "b." * DEEP + "b = 1\n",
        "pylock.toml": "packages = " + "[{a = " * DEEP,
    },
)
texts(
    "TOML with many tables",
    {"pyproject.toml": "".join(f"[a.{'b.' * (n % 40)}c{n}]\n[[d.e{n}]]\n" for n in range(3_000))},
)
texts(
    "interpolation in circles",
    {
        "setup.cfg": "[options]\ninstall_requires =\n    %(a)s\n    %(b)s\n"
        "a = %(b)s\nb = %(a)s%(a)s\n"
        "[options.extras_require]\nx = %(x)s\ny = %(x)s%(x)s%(x)s\n[a]\n"
        + "".join(f"z{n} = %(z{n + 1})s%(z{n + 1})s\n" for n in range(60)),
    },
)
texts(
    "a setup.py with deep brackets",
    {"setup.py": "from setuptools import setup\nsetup(install_requires=" + "[" * DEEP + ")\n"},
)
texts(
    "a setup.py with deep sums",
    {"setup.py": "setup(install_requires=['a']" + " + ['a']" * DEEP + ")\nx = " + "-" * DEEP + "1"},
)
texts(
    "a setup.py with huge numbers",
    {"setup.py": f"setup(install_requires=['a' * {'9' * 6_000}, 9 ** 9 ** 9, 0x{'f' * 9_000}])\n"},
)
texts(
    "a setup.py with zeros and escapes",
    {"setup.py": b"setup(install_requires=['a\\N{BULLET}', '\\N{no}', '\0', '\\ud800', b'\\xff'"},
)
texts(
    "a setup.py that would do harm",
    {"setup.py": "import os\nopen('owned', 'w')\nos.system('touch owned')\n__import__('os')\n"
     "setup(install_requires=[os.environ['HOME'], *open('../secret.txt')], name=exec('1'))\n"},
)  # fmt: skip
texts(
    "names of a setup.py in circles",
    {"setup.py": "a = b\nb = a\nc = [*c, *c]\nd = {**d}\ne = e + e\nf = '%s' % f\n"
     "setup(install_requires=a + c + [e, f], extras_require=d)\n"},
)  # fmt: skip
texts(
    "a Dockerfile of one long line",
    {"Dockerfile": "FROM a\nRUN pip install a \\\n" + "  b \\\n# c\n\\\n" * DEEP},
    heavy=True,
)
texts(
    "arguments of a Dockerfile in circles",
    {"Dockerfile": "ARG A=$A\nARG B=${C}\nARG C=${B:-$B$B}\nFROM $A:$B AS a\nENV D=$D$D$D\n"
     + "".join(f"ENV D=$D$D E{n}=${{D}}${{D}}\n" for n in range(60))
     + "RUN pip install $D $A ${D:-${D:-${D}}}\n" + "ARG X=" + "${X:-" * DEEP + "\n"},
)  # fmt: skip
texts(
    "heredocs that never end",
    {"Dockerfile": "FROM a\nRUN <<EOF\npip install a\n" + "RUN <<E <<F <<-G\n" * 3_000},
)
texts(
    "a thousand stages",
    {"Dockerfile": "FROM a AS s0\n"
     + "".join(f"FROM s{n} AS s{n + 1}\nRUN pip install p{n}==1\n" for n in range(1_000))},
    heavy=True,
)  # fmt: skip
texts(
    "a stage that is its own parent",
    {"Dockerfile": "FROM a AS a\nFROM b AS b\nFROM b AS b\nFROM d AS c\nFROM c AS d\nFROM 0\n"
     "FROM 9\nCOPY --from=d /x /y\nRUN pip install a\n"},
)  # fmt: skip
texts(
    "shell in shell",
    {"Dockerfile": "FROM a\nRUN " + "$(" * 3_000 + "pip install a" + ")" * 3_000 + "\nRUN "
     + "(" * 3_000 + "\nRUN " + "if x; then " * 2_000 + "\nRUN " + "bash -c '" * 2_000 + "\nRUN "
     + "`" * 3_001 + "\nRUN pip install " + '"' * 3_001 + "\n",
     "README.md": "```bash\n" + "{ " * 3_000 + "pip install a\n```\n" + "`" * 20_000 + "\n",
     ".gitlab-ci.yml": "a:\n  script:\n  - " + "case x in a) " * 1_000 + "pip install a\n"},
)  # fmt: skip
texts(
    "workflows with expressions",
    {".github/workflows/a.yml": "jobs:\n  a:\n    strategy:\n      matrix:\n"
     + "".join(f"        k{n}: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" for n in range(30))
     + "    runs-on: ${{ matrix.k0 }}${{ matrix.k1 }}\n    steps:\n    - run: pip install "
     + " ".join(f"a==${{{{ matrix.k{n} }}}}" for n in range(30)) + " ${{" + "(" * 5_000 + "\n"},
)  # fmt: skip
texts(
    "services that extend each other",
    {"compose.yaml": "services:\n  a: {extends: b, image: '${A:-${A}}'}\n  b: {extends: "
     "{service: a, file: compose.yaml}}\n  c: {extends: {file: ../secret.txt, service: x}}\n",
     ".gitlab-ci.yml": "a: {extends: b}\nb: {extends: [a, b]}\n"
     "c: {script: [!reference [c, script]]}\n"},
)  # fmt: skip
texts(
    "recipes that loop",
    {"meta.yaml": "{% for a in range(10**9) %}{% set b = b ~ b %}\npackage:\n  name: {{ b }}\n"
     "{% endfor %}\n{{ self() }}\nrequirements:\n  run:\n  - {{ '%s' * 9**9 }}\n"
     + "{% if x %}" * 5_000 + "{{" * 5_000},
)  # fmt: skip
texts(
    "groups that include each other",
    {"pyproject.toml": '[project]\nname = "x"\n[project.optional-dependencies]\na = ["x[b]"]\n'
     'b = ["x[a,b]"]\n[dependency-groups]\n'
     + "".join(f'g{n} = [{{include-group = "g{(n + 1) % 500}"}}, "p{n}"]\n' for n in range(500))},
)  # fmt: skip
_BAIT = {
    "blanks": " ", "dots": ".", "brackets": "[", "quotes": '"', "dashes": "-", "equals": "==",
    "commas": ",", "slashes": "/", "at signs": "@", "backslashes": "\\", "backticks": "`",
    "hashes": "#", "dollars": "${", "percents": "%(", "stars": "**", "tabs": "\t", "bars": "||",
    "semicolons": ";", "braces": "{{", "words": "pip install ", "colons": "://", "numbers": "1.",
}  # fmt: skip
for _name, _piece in _BAIT.items():
    _line = f"a{_piece * (40_000 // len(_piece))}!"
    texts(
        f"bait for patterns: {_name}",
        {
            "requirements.txt": f"{_line}\nnumpy{_line[1:]}\n",
            "README.md": f"{_line}\n```\npip install {_line}\n```\n",
            "Dockerfile": f"FROM {_line}\nRUN pip install {_line}\nRUN {_line}\n",
            "setup.py": f"{_line}\nsetup(install_requires=['{_line}'])\n",
            "setup.cfg": f"[options]\ninstall_requires =\n    {_line}\n{_line}\n",
            "packages.txt": _line,
            "environment.yml": f"dependencies:\n- 'a{_piece * 900}'\n- a{_piece * 900}\n",
        },
        heavy=True,
    )
texts(
    "credentials everywhere",
    {
        "requirements.txt": f"-i https://u:{PASSWORD}@index.example/simple\n--extra-index-url\n"
        f"https://u:{PASSWORD}@index.example\na @ https://u:{PASSWORD}@x.example/a.whl\n"
        f"git+https://{PASSWORD}@git.example/a.git#egg=b\n-r https://u:{PASSWORD}@x.example/r.txt\n",
        "Dockerfile": f"FROM u:{PASSWORD}@docker.example/a\nRUN pip install -i "
        f"https://u:{PASSWORD}@index.example/simple numpy b>2 && curl https://u:{PASSWORD}@x/\n",
        "environment.yml": f"channels: ['https://u:{PASSWORD}@conda.example/c']\n"
        f"dependencies:\n- numpy\n- pip:\n  - -i https://u:{PASSWORD}@index.example/simple\n",
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["a", "b @ '
        f'git+https://u:{PASSWORD}@git.example/b.git"]\n[[tool.uv.index]]\nname = "i"\n'
        f'url = "https://u:{PASSWORD}@index.example/simple"\n',
        "Pipfile": f'[[source]]\nurl = "https://u:{PASSWORD}@index.example/simple"\n'
        f'[packages]\na = {{git = "https://u:{PASSWORD}@git.example/a.git"}}\n',
        ".gitlab-ci.yml": f"a:\n  script: [pip install -i https://u:{PASSWORD}@index.example a]\n",
        "compose.yaml": f"services: {{a: {{image: 'https://u:{PASSWORD}@docker.example/a'}}}}\n",
        "README.md": f"```\npip install -i https://u:{PASSWORD}@index.example/simple a\n```\n",
        "cog.yaml": f"build:\n  run: [pip install -i https://u:{PASSWORD}@index.example a]\n",
        "setup.py": "setup(name='x', install_requires=['a @ "
        f"git+https://u:{PASSWORD}@git.example/a.git'])\n",
    },
)
