"""Which modules an import surely runs: what stands in every way through the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.binaries.reach import Reach

SURE = (
    "from . import _ext",
    "import package._ext",
    "from package._ext import run",
    "from ._ext import *",
    "if x:\n    from . import _ext\nelse:\n    import package._ext as _ext",
    "try:\n    from . import _ext\nfinally:\n    pass",
    "try:\n    from . import _ext\nexcept ImportError as error:\n    raise RuntimeError from error",
    "try:\n    from . import _ext\nexcept KeyError:\n    pass",
    "try:\n    from . import _ext\nexcept ImportError as error:\n    raise_build_error(error)",
    "try:\n    pass\nexcept ValueError:\n    pass\nfinally:\n    from . import _ext",
    "with lock:\n    from . import _ext",
    "if TYPE_CHECKING:\n    pass\nelse:\n    from . import _ext",
    "if not typing.TYPE_CHECKING:\n    from . import _ext",
    "if __PACKAGE_SETUP__:\n    pass\nelse:\n    from . import _ext",
)
UNSURE = (
    "",
    "def run():\n    from . import _ext",
    "class A:\n    def run(self):\n        from . import _ext",
    "try:\n    from . import _ext\nexcept ImportError:\n    _ext = None",
    "try:\n    from . import _ext\nexcept:\n    pass",
    "try:\n    from . import _ext\nexcept (KeyError, OSError):\n    log(1)",
    "if x:\n    from . import _ext",
    "if TYPE_CHECKING:\n    from . import _ext",
    "with contextlib.suppress(ImportError):\n    from . import _ext",
    "raise ImportError\nfrom . import _ext",
    "from . import _extra",
    "from .. import _ext",
    "this is no Python, from . import _ext",
    "print 'old', _ext",
)


def reach(folder: Path, files: dict[str, str]) -> Reach:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    return Reach([str(folder)])


@pytest.mark.parametrize("code", SURE)
def test_what_runs_whatever_happens(tmp_path: Path, code: str) -> None:
    assert reach(tmp_path, {"package/__init__.py": code}).runs("package", "package._ext")


@pytest.mark.parametrize("code", UNSURE)
def test_what_may_not_run(tmp_path: Path, code: str) -> None:
    assert not reach(tmp_path, {"package/__init__.py": code}).runs("package", "package._ext")


def test_imports_are_followed_through_a_package(tmp_path: Path) -> None:
    found = reach(
        tmp_path,
        {
            "package/__init__.py": "from package.a.b import c\n",
            "package/a/__init__.py": "",
            "package/a/b/__init__.py": "from ...d import e\n",
            "package/d.py": "import package._ext\nimport other\n",
            "package/never.py": "from . import _other\n",
            "other/__init__.py": "from . import _ext\n",
        },
    )
    assert found.runs("package", "package._ext")
    assert not found.runs("package", "package._other")
    assert not found.runs("package", "other._ext")
    assert found.runs("other", "other._ext")


def test_a_package_that_imports_itself_is_followed_once(tmp_path: Path) -> None:
    found = reach(
        tmp_path, {"a/__init__.py": "import a\nfrom a import b\n", "a/b.py": "import a._x"}
    )
    assert found.runs("a", "a._x")


def test_what_is_not_there_runs_nothing(tmp_path: Path) -> None:
    assert not Reach([str(tmp_path)]).runs("package", "package._ext")
    assert not Reach([]).runs("package", "package._ext")


def test_code_that_nests_without_end_is_passed_over(tmp_path: Path) -> None:
    deep = "".join(f"{' ' * at}if x:\n" for at in range(90)) + " " * 90 + "from . import _ext\n"
    assert not reach(tmp_path, {"package/__init__.py": deep}).runs("package", "package._ext")
