"""Where an upload form says something other than the file it comes with.

Installers decide from the file, people and older tools from what the index shows, so the two have to agree.
Values are compared by what they mean: blanks, line ends, order and spelling of names do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import reading
from pypi.domain.metadata.model import FIELDS, OF_SEVERAL_LINES, Kind, Metadata
from pypi.domain.metadata.parse import dedented
from pypi.domain.metadata.sentences import quoted
from pypi.domain.names import normalize

DECIDES_INSTALLATION = frozenset(
    {
        "name",
        "version",
        "requires_dist",
        "requires_python",
        "requires_external",
        "provides_dist",
        "provides_extra",
        "obsoletes_dist",
        "license_expression",
    }
)
"""Fields that the form may not name where the file does not.

``requires``, ``provides`` and ``obsoletes`` are not among them: no installer reads these ancestors of the
others (PEP 314), and flit says in the form what a module provides but not in the file.
"""

_EXEMPT = frozenset({"metadata_version"})


def differences(form: Metadata, file: Metadata) -> list[InvalidField]:
    """The fields of the form that disagree with the file, by field.

    What the form leaves out is taken from the file and never disagrees; what the file leaves out, as the
    old PKG-INFO versions do with maintainers, disagrees only in fields that decide what gets installed.
    The metadata version is the form's own: clients announce the one they speak.
    """
    return [
        InvalidField(field, _sentence(field, form, file))
        for field in sorted(FIELDS.keys() - _EXEMPT)
        if _differs(field, form, file)
    ]


def _differs(field: str, form: Metadata, file: Metadata) -> bool:
    said, found = form.texts(field), file.texts(field)
    if not said or said == found or not (found or field in DECIDES_INSTALLATION):
        return False
    if field in OF_SEVERAL_LINES:
        return _blanks(found[0]) not in (_blanks(said[0]), _blanks(dedented(said[0])))
    if field in _CONTACTS:
        return _meaning(field, said) not in (
            _meaning(field, found),
            _meaning(field, file.texts(_CONTACTS[field])),
        )
    return _meaning(field, said) != _meaning(field, found)


_CONTACTS = {"author": "maintainer", "author_email": "maintainer_email"}
"""Fields for which distutils sends one contact: the maintainer where there is one, else the author."""


def _meaning(field: str, texts: tuple[str, ...]) -> frozenset[Hashable]:
    return frozenset(_MEANINGS.get(field, _blanks)(text) for text in _pieces(field, texts))


def _pieces(field: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    if FIELDS[field].kind is Kind.KEYWORDS:
        return tuple(" ".join(texts).replace(",", " ").split())
    return tuple(text for text in texts if text)


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _version(text: str) -> Hashable:
    return reading.version(text) or text


def _specifiers(text: str) -> Hashable:
    read = reading.specifiers(text)
    return "".join(text.split()) if read is None else read


def _requirement(text: str) -> Hashable:
    try:
        return reading.requirement(text)
    except reading.Unreadable:
        return _blanks(text)


def _license_expression(text: str) -> Hashable:
    return reading.license_expression(text) or _blanks(text)


_MEANINGS: Mapping[str, Callable[[str], Hashable]] = {
    "name": normalize,
    "version": _version,
    "requires_python": _specifiers,
    "requires_dist": _requirement,
    "provides_dist": _requirement,
    "obsoletes_dist": _requirement,
    "provides_extra": normalize,
    "license_expression": _license_expression,
    "dynamic": str.lower,
}


def _sentence(field: str, form: Metadata, file: Metadata) -> str:
    said, found = form.texts(field), file.texts(field)
    only_said = _without(said, found) or ", ".join(said)
    only_found = _without(found, said)
    inside = f"has {quoted(only_found)}" if only_found else "has it not"
    return (
        f"{field!r} in the upload form differs from the metadata inside the file: "
        f"the form has {quoted(only_said)}, the file {inside}."
    )


def _without(texts: tuple[str, ...], others: tuple[str, ...]) -> str:
    known = frozenset(others)
    return ", ".join(text for text in texts if text not in known)
