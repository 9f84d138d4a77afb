"""Credentials are masked wherever a URL may stand, and no character acts on a terminal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.report.escape import clean, mask, secrets, visible

CONDA_TOKEN = "/".join(("t", "ab-12345678-1234-1234-1234-123456789012"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pass@index.example/simple", "https://****@index.example/simple"),
        ("https://token@index.example/simple", "https://****@index.example/simple"),
        ("https://token:@index.example", "https://****@index.example"),
        ("git+https://user:pa@ss@host.example/r", "git+https://****@host.example/r"),
        ("https://user:pa/ss@host.example/r", "https://****@host.example/r"),
        ("https://user:p\x1bw@host.example", "https://****@host.example"),
        ("https://host.example/x?token=abc&y=1", "https://host.example/x?token=****&y=1"),
        ("https://host.example/x?y=1&api_key=abc", "https://host.example/x?y=1&api_key=****"),
        ("https://h.example/?X-Amz-Signature=ab#e", "https://h.example/?X-Amz-Signature=****#e"),
        (f"https://conda.example/{CONDA_TOKEN}/main", "https://conda.example/t/****/main"),
        (f"https://host.example/{CONDA_TOKEN}/main", "https://host.example/t/****/main"),
        ("--proxy me:pw@proxy.example:80", "--proxy ****@proxy.example:80"),
        ("ssh://git:pw@host.example/r", "ssh://****@host.example/r"),
        ("https://${USER}:secret@host.example", "https://${USER}:****@host.example"),
        ("a ghp_" + "a" * 36 + " b", "a **** b"),
        (
            "https://a:b@x.example https://c:d@y.example",
            "https://****@x.example https://****@y.example",
        ),
    ],
)
def test_credentials_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "https://index.example/simple",
        "https://${TOKEN}@index.example/simple",
        "https://${USER}:${PASSWORD}@index.example/simple",
        "https://user:${PASSWORD}@index.example/simple",
        "https://index.example/simple?token=${TOKEN}",
        "git+https://host.example/org/repo@v1.0#egg=name",
        "git+https://host.example:8443/org/repo@v1.0",
        "https://${HOST}:${PORT}/org/repo@v1",
        "git+ssh://git@host.example/org/repo@main",
        "git+https://git@host.example/org/repo",
        "https://forum.example/t/some-topic/123",
        "torch==2.1 --hash=sha256:" + "0" * 64,
        "someone@host.example",
        "torch @ https://host.example/torch.whl ; python_version < '3.11'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x7f\x9b\x00", "\\x7f\\x9b\\x00"),
        ("\u202a\u202e\u2066\u2069\u200e\u061c", "\\u202a\\u202e\\u2066\\u2069\\u200e\\u061c"),
        ("\u200b\u200d\ufeff\u2028\u2029", "\\u200b\\u200d\\ufeff\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("##[error]x ##vso[task.x]", "##\\x5berror]x ##vso\\x5btask.x]"),
        ("plain [text] 日本語 é", "plain [text] 日本語 é"),
    ],
)
def test_what_acts_is_shown_instead(text: str, escaped: str) -> None:
    assert visible(text) == escaped


@given(st.text())
def test_clean_text_is_printable_and_stays_clean(text: str) -> None:
    once = clean(text)
    assert once.isprintable()
    assert visible(once) == once


@given(
    st.text(
        st.characters(exclude_characters="@/?#<>\"'", categories=["L", "N", "P", "S"]), min_size=5
    ),
    st.sampled_from(["https", "http", "git+https", "ftp"]),
)
def test_no_password_survives(password: str, scheme: str) -> None:
    placeholder_like = "{" in password
    text = f"{scheme}://someone:{password}@host.example/path"
    if not placeholder_like:
        assert mask(text) == f"{scheme}://****@host.example/path"


def test_secrets_are_disjoint_and_in_order() -> None:
    found = secrets("https://a:ghp_" + "b" * 36 + "@host.example/?token=c https://d@host.example")
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    assert len(found) == 3
