"""Core metadata as an upload form carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pypi.domain.metadata.model import FIELDS, Metadata
from pypi.domain.metadata.sentences import invalid


def from_form(fields: Mapping[str, Sequence[str]]) -> Metadata:
    """Read the metadata fields of an upload form; its other fields are ignored.

    ``UNKNOWN`` is nothing, and a NUL becomes the four characters ``\\x00``. Keywords may come in several
    parts, as ``setup.py upload`` sends them.

    Raises:
        InvalidField: a field has more or longer values than it may, two project URLs have one label, or a
            text is not Unicode.
    """
    return Metadata.of_texts({field: _cleaned(field, fields.get(field, ())) for field in FIELDS})


def _cleaned(field: str, texts: Sequence[str]) -> list[str]:
    for text in texts:
        if not _is_unicode(text):
            raise invalid(field, f"{field!r} has invalid data")
    kept = (text.replace("\0", "\\x00") for text in texts if text.strip() != "UNKNOWN")
    # Blanks at the beginning of a description may be the indentation of a literal block.
    return list(kept) if field == "description" else [text.strip() for text in kept]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
