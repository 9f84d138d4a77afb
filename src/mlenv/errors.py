"""The errors that are the caller's to mend; each is told in one line."""

from __future__ import annotations


class MlenvError(Exception):
    """Anything that mlenv itself gives up on."""


class UsageError(MlenvError):
    """A path that is not there, an option that makes no sense: exit code 2."""


class ConfigError(UsageError):
    """A configuration that cannot be taken as it is: exit code 2."""
