"""Values of fields read by ``packaging``, made safe for text that anybody may send.

Its parsers call themselves for every parenthesis, and ``int`` refuses numbers of more than 4300 digits; both
end in exceptions other than the documented ones.
"""

from __future__ import annotations

from functools import lru_cache

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version


class Unreadable(ValueError):
    """The text does not follow the grammar; ``str()`` is one line that says where."""


@lru_cache(maxsize=2048)
def requirement(text: str) -> Requirement:
    """Read a requirement; the answer is shared, so it must not be changed.

    Raises:
        Unreadable: the text is none.

    Source: PEP 508.
    """
    try:
        return Requirement(text)
    except ValueError as error:
        raise Unreadable(str(error).partition("\n")[0]) from None
    except RecursionError:
        raise Unreadable("Too many nested parentheses") from None


def specifiers(text: str) -> SpecifierSet | None:
    """Read version specifiers (PEP 440); ``None`` where the text is none."""
    try:
        return SpecifierSet(text)
    except ValueError:
        return None


def version(text: str) -> Version | None:
    """Read a version (PEP 440); ``None`` where the text is none."""
    try:
        return Version(text)
    except ValueError:
        return None


def license_expression(text: str) -> str | None:
    """Read a license expression (PEP 639) and spell it canonically; ``None`` where the text is none."""
    # Imported here: it brings the table of all licenses, and only publishing asks.
    from packaging.licenses import canonicalize_license_expression

    try:
        return canonicalize_license_expression(text)
    except (ValueError, MemoryError, RecursionError):
        return None


def mailbox_address(text: str) -> str:
    """The address of the first mailbox of an address list: ``a@b.example`` of ``"A, B" <a@b.example>, …``.

    Source: RFC 5322 section 3.4, without comments and groups.
    """
    first = _until(text, ",")
    start = len(_until(first, "<"))
    return first[start + 1 :].partition(">")[0].strip() if start < len(first) else first.strip()


def _until(text: str, mark: str) -> str:
    """The text before the first ``mark`` that stands outside double quotes, or all of it."""
    is_quoted = is_escaped = False
    for position, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted and character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character == mark and not is_quoted:
            return text[:position]
    return text
