"""What NumPy computes with is read from what its build wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlenv.environment.blas import read_blas

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
CONFIG = _cleanup(
    {{
        "Build Dependencies": {{
            "blas": {{
                "name": "{name}",
                "found": bool("True".lower().replace("False", "")),
                "version": "{version}",
                "detection method": "pkgconfig",
            }},
            "lapack": {{"name": "lapack", "version": "9"}},
        }},
    }}
)
"""


def written(site: Path, text: str) -> str:
    (site / "numpy").mkdir()
    (site / "numpy" / "__config__.py").write_text(text)
    return str(site)


OPENBLAS = {"libblas": ("3.9.0", "31_h59b9bed_openblas"), "libopenblas": ("0.3.29", "x")}
MKL = {"libblas": ("3.9.0", "20_linux64_mkl"), "mkl": ("2024.2.2", "x")}


@pytest.mark.parametrize(
    ("name", "version", "conda", "found"),
    [
        ("scipy-openblas", "0.3.29", {}, "scipy-openblas 0.3.29"),
        ("mkl-sdl", "2024.2", {}, "mkl-sdl 2024.2"),
        ("accelerate", "unknown", {}, "accelerate"),
        ("blas", "3.9.0", OPENBLAS, "openblas 0.3.29"),
        ("blas", "3.9.0", MKL, "mkl 2024.2.2"),
        ("blas", "3.9.0", {}, ""),
        # pip wrote its NumPy over conda's
        ("scipy-openblas", "0.3.29", MKL, "scipy-openblas 0.3.29"),
        ("\x1b[2J", "1", {}, ""),
    ],
)
def test_blas(
    tmp_path: Path, name: str, version: str, conda: dict[str, tuple[str, str]], found: str
) -> None:
    site = written(tmp_path, CONFIG.format(name=name, version=version))
    assert read_blas([str(tmp_path / "none"), site], conda) == found


def test_what_says_nothing(tmp_path: Path) -> None:
    assert read_blas([], {}) == ""
    assert read_blas([str(tmp_path)], OPENBLAS) == "openblas 0.3.29"
    assert read_blas([written(tmp_path, "CONFIG = 1\n")], {}) == ""
