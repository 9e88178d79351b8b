"""How a rule of core metadata is told to a person."""

from __future__ import annotations

from pypi.domain.errors import InvalidField

SPECIFICATION = "https://packaging.python.org/specifications/core-metadata"
LOCAL_VERSIONS = (
    "https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers"
)

MAX_QUOTED = 200
"""Characters of a value that a sentence repeats; classifiers and most requirements fit."""


def invalid(field: str, sentence: str, *, see: str = SPECIFICATION) -> InvalidField:
    """The refusal of a field: the sentence, ended by a stop, and where the rule is written."""
    stop = "" if sentence.endswith(".") else "."
    return InvalidField(field, f"{sentence}{stop} See {see} for more information.")


def quoted(value: str | None) -> str:
    """A value as sentences show it: in quotes, the middle of a long one left out."""
    return repr(value if value is None else shortened(value))


def shortened(value: str, limit: int = MAX_QUOTED) -> str:
    """The value, or its beginning and end where it is longer than ``limit`` characters."""
    half = (limit - 3) // 2
    return value if len(value) <= limit else f"{value[:half]}...{value[-half:]}"
