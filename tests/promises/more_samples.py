"""Well-formed files of the kinds that build images, run pipelines or declare in other words."""

from __future__ import annotations

INDEX = "https://index.example/simple"

MORE_SAMPLES = {
    "setup-cfg": """\
[metadata]
name = x
[options]
python_requires = >=3.9
install_requires =
    numpy>=1.24,<2; python_version >= "3.9"
    # a comment
    torch==2.1.0
    %(common)s
common = scipy<2
setup_requires = wheel
[options.extras_require]
dev =
    pytest>=7
    x[all] @ https://files.example/x-1.0.tar.gz
""",
    "setup-py": """\
from setuptools import find_packages, setup

BASE = ["numpy>=1.24", 'torch==2.1.0; sys_platform == "linux"']
EXTRAS = {"dev": ["pytest>=7"] + BASE, **{"doc": ("sphinx",)}}
with open("requirements.txt") as file:
    more = file.read().splitlines()

setup(
    name="x",
    version="1.0",
    python_requires=">=3.9",
    packages=find_packages(),
    install_requires=BASE + more,
    setup_requires="wheel",
    extras_require=EXTRAS,
)
""",
    "pipfile": f"""\
[[source]]
url = "{INDEX}"
verify_ssl = true
name = "main"
[packages]
numpy = ">=1.24"
torch = {{version = "==2.1.0", index = "main", markers = "sys_platform == 'linux'"}}
x = {{git = "https://git.example/x.git", ref = "main", editable = true}}
any = "*"
[dev-packages]
pytest = "~=7.0"
[requires]
python_version = "3.10"
""",
    "conda-recipe": """\
{% set version = "1.2.3" %}
{% set name = "x" %}
package:
  name: {{ name|lower }}
  version: {{ version }}
requirements:
  build:
    - {{ compiler('cxx') }}
  host:
    - python >=3.9
    - pip
  run:
    - python >=3.9
    - numpy >=1.22,<2  # [linux]
    - {{ pin_compatible('torch') }}
outputs:
  - name: y
    requirements:
      run:
        - pytorch =2.1
test:
  requires:
    - pytest
""",
    "rapids-dependencies": """\
files:
  all:
    output: [conda, requirements]
    matrix:
      cuda: ["11.8", "12.5"]
      arch: [x86_64]
    includes:
      - base
  test:
    output: pyproject
    pyproject_dir: python/x
    extras:
      table: project.optional-dependencies
      key: test
    includes:
      - checks
channels:
  - conda-forge
dependencies:
  base:
    common:
      - output_types: [conda, requirements]
        packages:
          - numpy>=1.23,<3
          - &torch torch==2.1.0
          - pip:
            - tqdm
    specific:
      - output_types: conda
        matrices:
          - matrix: {cuda: "12.*"}
            packages:
              - cuda-version=12.5
          - matrix:
            packages: [*torch]
  checks:
    common:
      - output_types: pyproject
        packages: [pytest]
""",
    "mlproject": """\
name: x
python_env: python_env.yaml
docker_env:
  image: nvidia/cuda:12.4.1-devel-ubuntu22.04
entry_points:
  main:
    parameters:
      rate: {type: float, default: 0.1}
    command: "pip install numpy==1.26.4 && python train.py --rate {rate}"
""",
    "mlflow-python-env": """\
python: 3.10.6
build_dependencies:
  - pip==23.3
  - setuptools
dependencies:
  - -r requirements.txt
  - numpy==1.26.4
""",
    "dockerfile": f"""\
# syntax=docker/dockerfile:1
ARG CUDA=12.4.1
FROM --platform=linux/amd64 nvidia/cuda:${{CUDA}}-devel-ubuntu22.04 AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV A=1 B="two words"
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends \\
    # a comment within
    git=1:2.34 ffmpeg && \\
    rm -rf /var/lib/apt/lists/*
COPY requirements.txt constraints.txt ./
RUN --mount=type=cache,target=/root/.cache pip install --no-cache-dir -r requirements.txt \\
    "torch==2.1.0" numpy>=1.24 --extra-index-url {INDEX}
FROM base AS final
RUN <<EOF
pip install uv
uv pip install --system 'transformers[torch]==4.35.2'
EOF
RUN ["pip", "install", "-e", ".[dev]"]
RUN conda install -y -c conda-forge python=3.10 && if [ -n "$A" ]; then pip install einops; fi
COPY --from=base /app /app
CMD ["python", "-m", "x"]
""",
    "cog": """\
build:
  gpu: true
  cuda: "12.1"
  python_version: "3.10"
  system_packages:
    - ffmpeg
  python_packages:
    - torch==2.1.0
    - numpy==1.26.4
  python_requirements: requirements.txt
  run:
    - pip install einops
    - command: pip install tqdm
predict: "predict.py:Predictor"
""",
    "bentofile": """\
service: "service:svc"
python:
  packages:
    - torch==2.1.0
    - numpy>=1.24
  requirements_txt: ./requirements.txt
  index_url: https://index.example/simple
  extra_index_url: ["https://index.example/whl/cu121"]
  lock_packages: false
conda:
  channels: [conda-forge]
  dependencies: [h5py]
  pip: [tqdm]
docker:
  distro: debian
  python_version: "3.10"
  cuda_version: "12.1"
  system_packages: [git]
""",
    "compose": """\
services:
  train:
    image: pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime
    platform: linux/amd64
    build:
      context: .
      dockerfile: docker/Dockerfile
      args:
        CUDA: "12.4"
    command: bash -c "pip install einops && python train.py"
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: all
              capabilities: [gpu]
  web:
    image: ${REGISTRY:-docker.example}/web:${TAG}
    runtime: nvidia
""",
    "devcontainer": """\
{
  // comments are allowed here
  "name": "x",
  "image": "mcr.example/devcontainers/python:3.10",
  "build": {"dockerfile": "../Dockerfile", "context": "..", "args": {"A": "1"}},
  "features": {"ghcr.example/devcontainers/features/nvidia-cuda:1": {"installCudnn": true},},
  "runArgs": ["--gpus", "all"],
  "postCreateCommand": "pip install -r requirements.txt",
  "onCreateCommand": ["pip", "install", "numpy==1.26.4"],
  "updateContentCommand": {"a": "pip install tqdm", "b": ["uv", "sync"]},
}
""",
    "github-workflow": """\
name: test
on: [push]
env:
  PY: "3.11"
jobs:
  test:
    runs-on: ubuntu-22.04
    container:
      image: nvidia/cuda:12.1.0-base-ubuntu22.04
    strategy:
      matrix:
        python: ["3.9", "3.10"]
        include:
          - python: "3.12"
    defaults:
      run:
        working-directory: sub
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - name: install
        run: |
          python -m pip install --upgrade pip
          pip install -r requirements.txt "torch==2.1.0"
          uv sync --frozen
      - run: conda install -y numpy=1.26
        shell: bash -l {0}
""",
    "gitlab-ci": """\
image: python:3.10
variables:
  A: "1"
.base: &base
  before_script:
    - pip install -r requirements.txt
test:
  <<: *base
  image:
    name: nvidia/cuda:12.1.0-base-ubuntu22.04
  services: [redis]
  parallel:
    matrix:
      - PY: ["3.9", "3.10"]
  script:
    - pip install torch==2.1.0
    - |
      pip install numpy
      conda env create -f environment.yml
""",
    "readme": """\
# x

Tested with Python 3.10, CUDA 12.1 and PyTorch 2.1 on an A100.

```bash
conda create -n x python=3.10
pip install torch==2.1.0 --index-url https://index.example/whl/cu121
pip install -r requirements.txt
```

~~~
$ pip install -e .
~~~

Install it by `pip install x`.
""",
    "system-packages": "ffmpeg\nlibgl1\ngit-lfs=3.0  # for models\n",
    "uv-toml": """\
extra-index-url = ["https://index.example/simple"]

[[index]]
name = "cu"
url = "https://index.example/whl/cu121"
explicit = true

[pip]
torch-backend = "cu121"
find-links = ["./wheels"]
no-index = true
""",
}
"""Files of further kinds, each of which holds nearly all that its reader looks for."""

MORE_PATHS = {
    "setup-cfg": "setup.cfg",
    "setup-py": "setup.py",
    "pipfile": "Pipfile",
    "conda-recipe": "meta.yaml",
    "rapids-dependencies": "dependencies.yaml",
    "mlproject": "MLproject",
    "mlflow-python-env": "python_env.yaml",
    "dockerfile": "Dockerfile",
    "cog": "cog.yaml",
    "bentofile": "bentofile.yaml",
    "compose": "compose.yaml",
    "devcontainer": "devcontainer.json",
    "github-workflow": ".github/workflows/test.yml",
    "gitlab-ci": ".gitlab-ci.yml",
    "readme": "README.md",
    "system-packages": "packages.txt",
    "uv-toml": "uv.toml",
}
"""What a file of each of them is called."""


def _cut(text: str) -> tuple[str, ...]:
    """Return pieces that are written in one text, for the sake of their lines."""
    return tuple(text.split("¦"))


MORE_PIECES = {
    "setup-cfg": _cut(
        "[options]\n¦[options.extras_require]\n¦install_requires =\n¦    ¦name = ¦%(a)s¦%%¦"
        "file: a.txt¦; x¦# x¦python_requires = ¦[metadata]\n"
    ),
    "setup-py": _cut(
        "setup(¦install_requires=¦extras_require={¦open('a.txt').read()¦**{¦*[¦f\"{x}\"¦"
        'b"x"¦r"\\d"¦"""¦\'\'\'¦\\N{BULLET}¦lambda: ¦if x:\n    ¦def¦[r for r in x]¦'
        ").splitlines()¦ + ¦ % ¦.format(¦import ¦return ¦0x"
    ),
    "conda-recipe": _cut(
        "{% set a = '1' %}\n¦{{ a }}¦{{ compiler('c') }}¦# [win]¦${{ x }}¦{#¦requirements:\n¦"
        "  run:\n¦    - ¦outputs:\n¦package:\n¦- if: x\n  then: y"
    ),
    "rapids-dependencies": _cut(
        "files:\n¦dependencies:\n¦  common:\n¦- output_types: ¦packages: [¦matrix:¦"
        "matrices:\n¦specific:\n¦includes: [¦&a ¦*a¦<<: *a\n¦channels:\n"
    ),
    "dockerfile": _cut(
        "FROM ¦FROM a AS b\n¦RUN ¦RUN pip install ¦ARG A=$A\n¦ENV A=¦WORKDIR ¦COPY a b\n¦"
        "<<EOF\n¦EOF\n¦<<-'E'\n¦$(¦`¦${A:-¦}¦ && ¦ || ¦;¦| ¦> ¦2>&1¦#¦# escape=`\n¦"
        "--mount=type=bind,source=a ¦ONBUILD ¦USER¦conda install -c ¦apt-get install -y ¦"
        '-r a.txt ¦--no-cache-dir ¦if [ ¦then ¦fi\n¦for i in a; do ¦done\n¦(¦)¦["¦", "¦'
        '"]¦cat <<E | pip install¦source a\n¦export A=¦cd /a¦python -m pip install ¦'
        "uv sync\n¦\\\r\n¦\\ \n"
    ),
    "compose": _cut(
        "services:\n¦  a:\n¦    image: ¦    build: ¦${A:-b}¦${A?x}¦$$¦gpus: all¦"
        "build:\n  python_packages:\n¦- ¦run:\n¦python:\n¦docker:\n¦conda:\n¦|\n"
    ),
    "devcontainer": _cut(
        '"image": ¦"build": {¦"features": {¦// x\n¦/* x */¦/*¦,}¦,]¦\\u0061¦'
        '"postCreateCommand": ¦pip install a¦${localEnv:A}¦"dockerComposeFile": ¦null'
    ),
    "github-workflow": _cut(
        "jobs:\n¦  a:\n¦    steps:\n¦    - run: ¦|\n¦${{ matrix.a }}¦matrix:\n¦pip install ¦"
        "python-version: ¦uses: actions/setup-python@v5\n¦container: ¦\t¦script:\n¦image: ¦"
        "before_script: [¦extends: .a\n¦!reference [a, b]¦&a¦*a"
    ),
    "readme": _cut(
        "```\n¦```bash\n¦~~~\n¦    ¦> ¦# ¦`¦``¦pip install ¦$ ¦<pre>¦Python 3.10¦CUDA 12.1¦"
        "PyTorch >= 2.0¦A100¦conda create -n x python=3.8¦| a |"
    ),
}
"""What files of these kinds are made of."""

MORE_ALIKE = {
    "pipfile": "pyproject",
    "uv-toml": "pyproject",
    "cog": "compose",
    "bentofile": "compose",
    "mlproject": "compose",
    "mlflow-python-env": "conda-env",
    "gitlab-ci": "github-workflow",
    "system-packages": "requirements",
}
"""Kinds that are made of what another kind is made of."""
