"""Requirements taken apart for people: what is needed, of which versions, when, and for which extra.

Source: dependency specifiers (PEP 508), environment markers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement

from pypi.domain.names import NormalizedName, normalize

LONGEST = 2000
"""Characters of a line that is taken apart; nesting is bounded with it."""

DEEPEST = 20
"""Parentheses within each other that are put into words."""


@frozen
class Needed:
    """A line of ``Requires-Dist``.

    Attributes:
        written: as it was written, on one line.
        name: as it was written; empty for a line that cannot be taken apart.
        extras: of the other project.
        versions: which ones suit, such as ``>=1.0,<2``; empty: any.
        url: where it is to be had, for one that is not to come from an index.
        only: when it is needed, in words, without the extras it is needed for; empty: always.
        for_extras: extras of this project any of which brings it; empty where none is needed.
    """

    written: str
    name: str = ""
    extras: tuple[str, ...] = ()
    versions: str = ""
    url: str = ""
    only: str = ""
    for_extras: tuple[str, ...] = ()

    @property
    def normalized(self) -> NormalizedName:
        """The name as it is looked up."""
        return normalize(self.name)


def taken_apart(line: str) -> Needed:
    """A line of ``Requires-Dist``; of one that breaks the rules nothing is known but how it was written."""
    written = " ".join(line.split())
    if len(written) > LONGEST:
        return Needed(written)
    try:
        found = Requirement(written)
    except (InvalidRequirement, RecursionError):
        return Needed(written)
    only, for_extras = ("", ()) if found.marker is None else _conditions(str(found.marker))
    return Needed(
        written,
        found.name,
        tuple(sorted(found.extras)),
        ",".join(sorted(map(str, found.specifier), key=lambda one: (not one.startswith(">"), one))),
        found.url or "",
        only,
        for_extras,
    )


def _conditions(marker: str) -> tuple[str, tuple[str, ...]]:
    """(when, in words but for the extras; for which extras); too deep a marker stays as it is."""
    condition = _parsed(marker)
    if condition is None:
        return marker, ()
    return _said(_without_extras(condition)), tuple(dict.fromkeys(_extras(condition)))


# --- markers as trees -------------------------------------------------------------------------------------


@frozen
class _Compared:
    """``turned``: the value stood in front, which matters for ``in`` alone."""

    variable: str
    operator: str
    value: str
    turned: bool = False


@frozen
class _Joined:
    """``and`` or ``or`` between conditions."""

    word: str
    parts: tuple[_Condition, ...]


_Condition = _Compared | _Joined

_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|[()]|not\s+in\b|[\w.]+|[<>=!~]+")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _parsed(marker: str) -> _Condition | None:
    """A marker as ``packaging`` writes it; ``None`` where it is too deep for words."""
    tokens = _TOKEN.findall(marker)
    if max(_depths(tokens), default=0) > DEEPEST:
        return None
    return _either(iter([*tokens, ")"]))


def _depths(tokens: Sequence[str]) -> Iterator[int]:
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        yield depth


def _either(tokens: Iterator[str]) -> _Condition:
    """Up to the parenthesis that closes it; ``and`` binds closer than ``or``."""
    alternatives: list[list[_Condition]] = [[]]
    while True:
        first = next(tokens)
        alternatives[-1].append(_either(tokens) if first == "(" else _compared(first, tokens))
        word = next(tokens)
        if word == ")":
            return _joined("or", [_joined("and", parts) for parts in alternatives])
        if word == "or":
            alternatives.append([])


def _compared(left: str, tokens: Iterator[str]) -> _Compared:
    operator, right = " ".join(next(tokens).split()), next(tokens)
    if left[0] in "\"'" and right[0] not in "\"'":
        return _Compared(right, _TURNED.get(operator, operator), left[1:-1], turned=True)
    return _Compared(left, operator, right[1:-1] if right[0] in "\"'" else right)


def _joined(word: str, parts: Sequence[_Condition]) -> _Condition:
    return parts[0] if len(parts) == 1 else _Joined(word, tuple(parts))


def _extras(condition: _Condition) -> Iterator[str]:
    if isinstance(condition, _Joined):
        for part in condition.parts:
            yield from _extras(part)
    elif condition.variable == "extra" and condition.operator == "==":
        yield normalize(condition.value)


def _is_of_extras(condition: _Condition) -> bool:
    if isinstance(condition, _Joined):
        return condition.word == "or" and all(map(_is_of_extras, condition.parts))
    return condition.variable == "extra" and condition.operator == "=="


def _without_extras(condition: _Condition) -> _Condition | None:
    """What is left to say once it is said for which extras it is."""
    if _is_of_extras(condition):
        return None
    if isinstance(condition, _Joined) and condition.word == "and":
        left = [part for part in condition.parts if not _is_of_extras(part)]
        return _joined("and", left) if left else None
    return condition


# --- markers in words -------------------------------------------------------------------------------------

SYSTEMS = {
    "aix": "AIX",
    "android": "Android",
    "cygwin": "Cygwin",
    "darwin": "macOS",
    "emscripten": "WebAssembly",
    "freebsd": "FreeBSD",
    "ios": "iOS",
    "java": "the Java platform",
    "linux": "Linux",
    "linux2": "Linux",
    "nt": "Windows",
    "posix": "Unix-like systems",
    "win32": "Windows",
    "windows": "Windows",
}

_ORDERED = {
    "<": "{} before {}",
    "<=": "{} up to {}",
    ">": "{} after {}",
    ">=": "{} {} or later",
    "==": "{} {}",
    "===": "{} {}",
    "!=": "any {} but {}",
    "~=": "{} compatible with {}",
}

_KINDS = {
    "python_version": "Python",
    "python_full_version": "Python",
    "implementation_version": "an interpreter",
}

_NAMED = {"sys_platform", "platform_system", "os_name"}
_INTERPRETERS = {"implementation_name", "platform_python_implementation"}
_SPELLED = {"cpython": "CPython", "pypy": "PyPy", "jython": "Jython", "ironpython": "IronPython"}


def _said(condition: _Condition | None) -> str:
    if condition is None:
        return ""
    if isinstance(condition, _Joined):
        parts = [_within(part) if condition.word == "and" else _said(part) for part in condition.parts]
        return f" {condition.word} ".join(dict.fromkeys(parts))
    return _said_of_one(condition)


def _within(part: _Condition) -> str:
    return f"({_said(part)})" if isinstance(part, _Joined) else _said(part)


def _said_of_one(one: _Compared) -> str:
    if one.variable in _KINDS and one.operator in _ORDERED:
        return _ORDERED[one.operator].format(_KINDS[one.variable], one.value)
    word = _word(one)
    if one.operator in ("==", "==="):
        return word
    if one.operator == "!=":
        return f"not {word}"
    if one.operator in ("in", "not in") and one.turned:
        holds = word if one.variable in _NAMED else f"{one.variable} containing {one.value}"
        return f"not {holds}" if one.operator == "not in" else holds
    if one.operator in ("in", "not in"):
        values = " or ".join(filter(None, re.split(r"[\s,]+", one.value))) or "nothing"
        kind = _KINDS.get(one.variable, one.variable)
        return f"{'not ' if one.operator == 'not in' else ''}{kind} {values}"
    return f"{one.variable} {one.operator} {one.value}"


def _word(one: _Compared) -> str:
    if one.variable in _NAMED:
        return SYSTEMS.get(one.value.lower(), one.value)
    if one.variable in _INTERPRETERS:
        return _SPELLED.get(one.value.lower(), one.value)
    if one.variable == "platform_machine":
        return f"{one.value} processors"
    return f"extra {one.value}" if one.variable == "extra" else f"{one.variable} {one.value}"
