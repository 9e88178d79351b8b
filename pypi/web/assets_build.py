"""One style sheet and one script, put together from small files when the service starts.

Source: CSS Cascading and Inheritance Level 5, section 6.4 (layers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable

LAYERS = ("settings", "elements", "objects", "components", "utilities")
"""Folders of the style sheet and layers of the cascade: what comes later wins."""

# A string, or a comment: the one hides the other, so both are looked for.
_CSS_TOKENS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/\*.*?\*/", re.DOTALL)


class Misplaced(ValueError):
    """A file lies where no layer is, or is not what its folder holds."""


def style_sheet(folder: Traversable) -> bytes:
    """All small style sheets below ``folder``, each folder a layer, in the order of ``LAYERS``.

    Raises:
        Misplaced: a file or folder is there that is none of a layer.
    """
    unknown = sorted({one.name for one in folder.iterdir()} - set(LAYERS))
    if unknown:
        raise Misplaced(f"css/{unknown[0]} is in no layer: these are {', '.join(LAYERS)}")
    parts = [f"@layer {', '.join(LAYERS)};"]
    for layer in LAYERS:
        sheets = "\n".join(_small(text) for text in _texts(folder.joinpath(layer), ".css"))
        parts.append(f"@layer {layer} {{\n{sheets}\n}}")
    return ("\n".join(parts) + "\n").encode()


def script(folder: Traversable) -> bytes:
    """All scripts of ``folder`` as one module, each in a block of its own so that none sees another's names.

    Raises:
        Misplaced: something else is there.
    """
    return "".join(f"{{\n{_lines(text)}\n}}\n" for text in _texts(folder, ".js")).encode()


def _texts(folder: Traversable, suffix: str) -> Iterator[str]:
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.is_file() or not file.name.endswith(suffix):
            raise Misplaced(f"{folder.name}/{file.name} is no {suffix} file")
        yield file.read_text(encoding="utf-8")


def _small(sheet: str) -> str:
    """Without comments and indentation."""
    return _lines(_CSS_TOKENS.sub(lambda found: "" if found[0].startswith("/*") else found[0], sheet))


def _lines(text: str, comment: Sequence[str] = ("// ",)) -> str:
    """Without indentation, empty lines and lines that are a comment."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(tuple(comment)))
