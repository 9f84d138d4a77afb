"""The project's own code: which names it uses, whatever it calls them, and what guards them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mlenv.model.usage import Use
from mlenv.project.load import load_project

NAMES = (
    "numpy.float_",
    "numpy.int",
    "numpy.Inf",
    "PIL.Image.ANTIALIAS",
    "huggingface_hub.cached_download",
    "tensorflow.contrib",
    "tensorflow.Session",
    "transformers.TrainingArguments:evaluation_strategy",
    "transformers.AdamW",
    "pkg_resources",
)


def uses(folder: Path, files: dict[str, str], *names: str) -> list[Use]:
    (folder / "requirements.txt").write_text("numpy\n", "utf-8")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = load_project((str(folder),)).code.uses(names or NAMES)
    return sorted((use for one in found.values() for use in one), key=lambda use: use.span.order)


def told(folder: Path, text: str) -> list[str]:
    """Return the names that a file uses, guarded ones with a question mark."""
    return [f"{use.name}{'?' * use.guarded}" for use in uses(folder, {"train.py": text})]


@pytest.mark.parametrize(
    ("code", "name", "written"),
    [
        ("import numpy\nx = numpy.float_(1)", "numpy.float_", "numpy.float_"),
        ("import numpy as np\nx = np.float_(1)", "numpy.float_", "np.float_"),
        ("from numpy import float_ as f", "numpy.float_", "float_ as f"),
        ("from numpy import (\n    array,\n    float_,\n)", "numpy.float_", "float_"),
        ("import numpy.linalg\nnumpy.Inf", "numpy.Inf", "numpy.Inf"),
        ("from PIL import Image\nImage.ANTIALIAS", "PIL.Image.ANTIALIAS", "Image.ANTIALIAS"),
        ("import PIL.Image\nPIL.Image.ANTIALIAS", "PIL.Image.ANTIALIAS", "PIL.Image.ANTIALIAS"),
        ("import PIL.Image as I\nI.ANTIALIAS", "PIL.Image.ANTIALIAS", "I.ANTIALIAS"),
        (
            "from huggingface_hub import cached_download",
            "huggingface_hub.cached_download",
            "cached_download",
        ),
        ("from tensorflow.contrib import slim", "tensorflow.contrib", "slim"),
        ("import tensorflow as tf\ntf.contrib.layers.l2()", "tensorflow.contrib",
         "tf.contrib.layers.l2"),
        ("import tensorflow.contrib.slim as s", "tensorflow.contrib",
         "tensorflow.contrib.slim as s"),
        ("import pkg_resources", "pkg_resources", "pkg_resources"),
        ("é = 'ü'; import numpy as np; y = 'é', np.Inf", "numpy.Inf", "np.Inf"),
        ("def f():\n    import numpy as np\n    return np.Inf", "numpy.Inf", "np.Inf"),
        (
            "from transformers import TrainingArguments as T\nT('x', evaluation_strategy='no')",
            "transformers.TrainingArguments:evaluation_strategy",
            "evaluation_strategy",
        ),
        (
            "import transformers\ntransformers.TrainingArguments(\n    evaluation_strategy=1)",
            "transformers.TrainingArguments:evaluation_strategy",
            "evaluation_strategy",
        ),
    ],
)  # fmt: skip
def test_a_name_is_found_whatever_the_code_calls_it(
    tmp_path: Path, code: str, name: str, written: str
) -> None:
    found = uses(tmp_path, {"train.py": code + "\n"})
    assert [(use.name, use.span.text, use.guarded) for use in found] == [(name, written, False)]


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np\nx = np.float64(1)  # np.float_",
        "import numpy as np\nx = 'np.float_'",
        "import torch as np\nnp.float_, numpy",
        "from . import numpy\nnumpy.float_",
        "import numpy as np\nnp = make()\nnp.float_",
        "import numpy as np\ndef f(np):\n    return np.float_",
        "import numpy as np\n[np.float_ for np in things]",
        "import numpy as np\nlambda np: np.float_",
        "import tensorflow.compat.v1 as tf\ntf.Session()",
        "import tensorflow as tf\ntf.compat.v1.Session()",
        "import numpy as np\nx.np.float_",
        "from transformers import Trainer\nTrainer(evaluation_strategy='no')  # TrainingArguments",
        "import numpy.float_x\nnumpy.float_y",
    ],
)
def test_what_only_looks_like_a_name_is_none(tmp_path: Path, code: str) -> None:
    assert told(tmp_path, code + "\n") == []


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    np.float_\nexcept AttributeError:\n    pass",
        "try:\n    np.float_\nexcept (KeyError, AttributeError):\n    pass",
        "try:\n    new()\nexcept ImportError:\n    np.float_",
        "if hasattr(np, 'float_'):\n    np.float_",
        "x = np.float_ if hasattr(np, 'float_') else np.float64",
        "x = hasattr(np, 'float_') and np.float_",
        "if version.parse(np.__version__) < version.parse('2'):\n    np.float_",
        "if np.lib.NumpyVersion(np.__version__) >= '2.0.0':\n    pass\nelse:\n    np.float_",
        "def f():\n    if NUMPY_VERSION > (2,):\n        return 1\n    return np.float_",
        "assert np.__version__ < '2'\nnp.float_",
        "if numpy_major < 2:\n    np.float_",
        "if IS_NUMPY_2:\n    pass\nelse:\n    np.float_",
        "from contextlib import suppress\nwith suppress(AttributeError):\n    np.float_",
        "if False:\n    np.float_",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    X = np.float_",
        "def f():\n    x: np.float_ = 1",
    ],
)
def test_code_that_is_prepared_is_told_as_such(tmp_path: Path, code: str) -> None:
    assert told(tmp_path, f"import numpy as np\n{code}\n") == ["numpy.float_?"]


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    np.float_\nexcept KeyError:\n    pass",
        "try:\n    np.float_\nexcept AttributeError:\n    raise",
        "try:\n    np.float_\nexcept AttributeError:\n    sys.exit(1)",
        "try:\n    pass\nexcept ImportError:\n    pass\nfinally:\n    np.float_",
        "if torch.cuda.is_available():\n    np.float_",
        "if x:\n    return_(1)\nnp.float_",
        "if __name__ == '__main__':\n    np.float_",
        "def f(x: np.float_): pass",
        "x: np.float_ = 1",
    ],
)
def test_other_conditions_guard_nothing(tmp_path: Path, code: str) -> None:
    assert told(tmp_path, f"import numpy as np\n{code}\n") == ["numpy.float_"]


def test_annotations_that_are_never_evaluated_are_guarded(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nimport numpy as np\ndef f(x: np.float_): np.int\n"
    assert told(tmp_path, text) == ["numpy.float_?", "numpy.int"]


@pytest.mark.parametrize(
    "shim",
    [
        "import numpy as np\nnp.float_ = np.float64\n",
        "import numpy as np\nsetattr(np, 'float_', np.float64)\n",
    ],
)
def test_a_name_that_the_project_sets_itself_is_guarded(tmp_path: Path, shim: str) -> None:
    files = {"compat.py": shim, "train.py": "import numpy as np\nnp.float_, np.Inf\n"}
    found = uses(tmp_path, files)
    assert [(use.name, use.guarded) for use in found] == [
        ("numpy.float_", True),
        ("numpy.Inf", False),
    ]


def test_an_import_that_may_fail_is_guarded_and_what_it_is_called_unknown(tmp_path: Path) -> None:
    text = (
        "try:\n    import tensorflow.compat.v1 as tf\nexcept ImportError:\n"
        "    import tensorflow as tf\ntf.Session()\n"
        "try:\n    from transformers import AdamW\nexcept ImportError:\n    AdamW = None\n"
    )
    assert told(tmp_path, text) == ["transformers.AdamW?"]


def test_a_module_of_the_project_hides_the_distribution(tmp_path: Path) -> None:
    text = "import numpy as np\nfrom transformers import AdamW\nnp.float_\n"
    files = {"src/transformers/__init__.py": "", "src/train.py": text, "other/numpy.py": ""}
    assert [use.name for use in uses(tmp_path, files)] == ["numpy.float_"]


def test_the_names_of_numpy_agree_with_ruff(tmp_path: Path) -> None:
    """What ruff's NPY201 says NumPy 2 removed is found here too, and nothing is missed."""
    from mlenv.knowledge import Knowledge

    ruff = shutil.which("ruff") or str(Path(__file__).parents[2] / ".venv" / "bin" / "ruff")
    if not Path(ruff).exists():
        pytest.skip("ruff is not installed")
    removals = Knowledge().numpy2.removals
    names = sorted({name for _, every, _ in removals for name in every if "." not in name})
    known = {*names, "array", "linspace", "inf", "float64", "bool_", "newaxis"}
    text = "import numpy as np\n" + "".join(f"np.{name}\n" for name in sorted(known))
    said = subprocess.run(
        [ruff, "check", "--isolated", "--select", "NPY201", "--output-format", "json",
         "--stdin-filename", "train.py", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = text.splitlines()
    by_ruff = {lines[one["location"]["row"] - 1][3:] for one in json.loads(said.stdout)}
    ours = uses(tmp_path, {"train.py": text}, *(f"numpy.{name}" for name in names))
    found = {use.name.removeprefix("numpy.") for use in ours}
    assert found == set(names)
    assert by_ruff
    assert by_ruff <= found
