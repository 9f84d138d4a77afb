"""What counts as a credential that somebody gave away."""

from __future__ import annotations

import pytest

from mlenv.credentials import CREDENTIAL, PARAMETER, exposed, mask


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@index.example/simple",
        "https://me:%40b%21@index.example/simple",
        "https://${USER}:abc123@index.example/simple",
        "https://0abcdef0123456789abcdef@git.example/a.git",
        "https://0abcdef0123456789abcdef:x-oauth-basic@git.example/a.git",
        "git+https://ghp_abcdefghijklmnopqrstuv0123@git.example/a.git",
        "https://git.example/ghp_abcdefghijklmnopqrstuv0123/a.zip",
        "https://conda.example/t/tk-12345678-aaaa-bbbb-cccc-123456789abc/main",
    ],
)
def test_credentials(url: str) -> None:
    assert exposed(url) == CREDENTIAL


def test_a_parameter_only_looks_like_one() -> None:
    assert exposed("https://files.example/a.whl?token=0123456789abcdef01") == PARAMETER
    assert exposed("https://files.example/a.whl?key=linux") == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://me@index.example/simple",
        "https://me:@index.example/simple",
        "https://me:${PASSWORD}@index.example/simple",
        "https://me:$PASSWORD@index.example/simple",
        "https://me:%PASSWORD%@index.example/simple",
        "https://me:%(password)s@index.example/simple",
        "https://me:{{ password }}@index.example/simple",
        "https://me:<password>@index.example/simple",
        "https://me:****@index.example/simple",
        "https://me:xxxx@index.example/simple",
        "https://me:your-token@index.example/simple",
        "https://${TOKEN}:x-oauth-basic@git.example/a.git",
        "git+ssh://git@git.example/a.git",
        "https://git.example:8080/a@v1.0",
        "https://index.example/simple",
        "",
    ],
)
def test_what_gives_nothing_away(url: str) -> None:
    assert exposed(url) == ""


def test_keys_in_a_line_of_code_are_not_shown() -> None:
    key = "sk-" + "proj-Ab3" * 5
    assert mask(f'client(api_key="{key}")') == 'client(api_key="****")'
    assert mask("task-12345678901234567890123456789") == "task-12345678901234567890123456789"
    assert mask("sk-learn-extensions-for-everyone") == "sk-learn-extensions-for-everyone"
