"""Names that people give to what is theirs: one line of what can be shown."""

from __future__ import annotations

_MOST_READ = 4
"""Times as many characters as are kept are looked at."""


def one_line(text: str, *, longest: int) -> str:
    """A text as one line of printable characters, with single blanks, and no longer than is kept."""
    shown = "".join(one if one.isprintable() else " " for one in text[: _MOST_READ * longest])
    return " ".join(shown.split())[:longest].strip()
