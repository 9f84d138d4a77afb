"""What all tests share: nothing is remembered in the user's own cache folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def long_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file to have been there for long, so that it is remembered at once."""
    monkeypatch.setattr("mlenv.caches.SETTLED", -(1 << 62))
