"""What is diagnosed as a slip is refused by packaging too, and the advice is what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from mlenv.project.diagnosis import diagnose

names = st.sampled_from(["torch", "scikit-learn", "g", "numpy", "pip", "k2", "zope.interface"])
tokens = st.sampled_from(
    [
        *("==", ">=", "<=", "<", ">", "~=", "!=", "===", "=", "=>", ",", " ", ";", "(", ")", "@"),
        *("1.0", "2", "1.*", "2.1.0+cu118", "0.23.", "1.1build1", "v2", ".dev1", "[cpu]", "[", "]"),
        *(
            "python_version",
            "in",
            "not",
            "and",
            "extra",
            '"3.8"',
            "'",
            '"',
            "+",
            "++",
            "-",
            "install",
        ),
        "https://index.example/a,1.whl",
    ]
)


@given(names, st.lists(tokens, max_size=6).map("".join))
@settings(max_examples=3000)
def test_what_is_diagnosed_is_surely_refused(name: str, rest: str) -> None:
    if diagnose(name, rest) is None:
        return
    with pytest.raises((InvalidRequirement, ValueError)):
        Requirement(name + rest)


@pytest.mark.parametrize(
    ("name", "rest", "advice"),
    [
        ("scikit-learn", "=1.1.2", "write scikit-learn==1.1.2"),
        ("torch", " = 2.1", "write torch==2.1"),
        ("numpy", "=1.21=py38_0", "write numpy==1.21"),
        ("absl-py", "   1.0.0", "write absl-py==1.0.0"),
        ("torch", "~=1", "write torch~=1.0"),
        ("spacy", "[ja]>=3.*", "drop the .*"),
        ("torch", ">2.*", "write >=3 in place of >2.*"),
        ("transformers", ">=4.6.*", "drop the .*"),
        ("pybind11", ">=2.6.2,<=2.7.*", "write <2.8 in place of <=2.7.*"),
        ("k2-1.24.4.dev1", "+cpu.torch2.2.1", "write k2==1.24.4.dev1+cpu.torch2.2.1"),
        (
            "deepspeed",
            "+https://git.example/a.git",
            "write deepspeed @ git+https://git.example/a.git",
        ),
        ("g", "++>=5.4", "install it with apt or conda and delete the line"),
        ("pip", " install torch", "keep what it installs and drop the command"),
        ("", '"torch==2.1"', "remove the quotes: they belong in a shell"),
    ],
)
def test_the_advice_is_what_was_meant(name: str, rest: str, advice: str) -> None:
    found = diagnose(name, rest)
    assert found is not None or not advice
    assert found is None or not advice or found[1] == advice
