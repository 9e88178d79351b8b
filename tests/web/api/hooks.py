"""What the tool does not try: HTTP itself refuses it, in plain text, before it is known what is asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import schemathesis


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Addresses have no control characters, and paths no backslashes."""
    path = list(_texts(case.path_parameters))
    return not any(map(_has_controls, [*path, *_texts(case.query)])) and not any("\\" in one for one in path)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield unquote(value)  # variables of paths are encoded by now


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(one) == "Cc" for one in text)
