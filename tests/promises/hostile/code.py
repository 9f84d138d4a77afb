"""Code, notebooks, models and a team's facts that were written to do harm to who reads them."""

from __future__ import annotations

from .cases import texts

_PINS = "numpy==2.0.0\ntransformers==4.20.0\n"
_USE = "import numpy as np\nnp.float_(1)\n"
_DEEP = 20_000


def _project(name: str, code: str | bytes) -> dict[str, str | bytes]:
    return {"requirements.txt": _PINS, name: code}


def _facts(text: str) -> dict[str, str | bytes]:
    return {
        "requirements.txt": _PINS,
        "mlenv.toml": 'extra-facts = ["facts.toml"]\n',
        "facts.toml": text,
    }


for _name, _code in {
    "brackets": _USE + "(" * _DEEP + ")" * _DEEP,
    "attributes": _USE + "np" + ".float_" * _DEEP,
    "calls": _USE + "np.float_" + "()" * _DEEP,
    "sums": _USE + "1" + "+np.float_" * _DEEP,
    "negations": _USE + "not " * _DEEP + "np.float_",
    "lambdas": _USE + "lambda: " * _DEEP + "np.float_",
    "choices": _USE + "x if y else " * _DEEP + "np.float_",
    "branches": _USE + "if x: pass\n" + "elif np.float_: pass\n" * _DEEP,
    "blocks": _USE + "".join(" " * i + "if np.float_:\n" for i in range(900)),
    "decorators": _USE + "@np.float_\n" * _DEEP + "def f(): pass\n",
    "an f-string": _USE + 'f"' + "{" * _DEEP + "np.float_" + "}" * _DEEP + '"',
    "a number": _USE + "9" * 50_000,
    "aliases": "".join(f"import numpy as n{i}\nn{i}.float_\n" for i in range(5_000)),
    "stars": "from numpy import *\n" * 5_000 + "float_",
    "escapes": _USE + '"' + "\\N{BULLET}\\x" * 5_000 + '"',
}.items():
    texts(f"a Python file of many {_name}", _project("train.py", _code), heavy=True)

texts("a Python file in a codec that runs code", _project("a.py", "# coding: rot13\n" + _USE))
texts("a Python file with NULs", _project("a.py", f"{_USE}\0\x1b[31m\n".encode()))
texts("a Python file that speaks to a terminal", _project("a.py", _USE + "np.float_ #\x1b]0;x\x07"))
texts(
    "notebooks that are bombs",
    {
        "requirements.txt": _PINS,
        "deep.ipynb": '{"cells": ' + "[" * 100_000,
        "number.ipynb": '{"cells": [], "x": ' + "9" * 100_000 + "}",
        "cell.ipynb": '{"cells": [{"cell_type": "code", "source": "import numpy\\n'
        + "numpy.float_(" * 20_000
        + '"}]}',
        "types.ipynb": '{"cells": [1, {"cell_type": "code", "source": [1]}, null], "metadata": 1}',
        "act.ipynb": '{"cells": [{"cell_type": "code", "source": "import numpy\\n'
        'numpy.float_ # \\u001b[31m\\u0007"}]}',
    },
)
texts(
    "models that act",
    {
        "requirements.txt": _PINS,
        "a/config.json": '{"transformers_version": "4.\x1b[31m45\x07"}',
        "b/config.json": '{"transformers_version": "::error::9.9"}',
        "c/config.json": '{"transformers_version": "' + "9" * 10_000 + '"}',
    },
)
texts(
    "a team's facts that act",
    _facts(
        '[[forbidden]]\npackage = "numpy"\nreason = "\\u001b[31m\\n::error::x"\n'
        'use = "\\u001b]0;x\\u0007"\nsource = "\\u202e"\n'
        '[[breaks]]\nid = "x"\nwhen = {numpy = "*"}\neffect = "{0}%s\\n::error::x\\u001b"\n'
        'fix = ["\\u001b", "{y}"]\nfact = "\\u001b\\n::error::"\nerror = "\\n##[error]"\n'
    ),
)
