"""Descriptions in the formats of the core metadata, rendered and made harmless."""

from __future__ import annotations

import io
import re
from email.message import Message

import nh3
from docutils.parsers.rst import roles  # type: ignore[import-untyped]
from readme_renderer import markdown, rst, txt
from readme_renderer.clean import ALLOWED_ATTRIBUTES, ALLOWED_TAGS

from pypi.publishing.rendering import links, structure
from pypi.publishing.rendering.structure import ID_PREFIX
from pypi.publishing.rendering.tree import parse, serialize
from pypi.publishing.rendering.wire import NotRendered

LINK_REL = "nofollow noopener ugc"

_SCHEMES = {"http", "https", "mailto"}
_SHOWN_CHARACTERS = 200
_DOCUTILS_SAYS = re.compile(r"<string>:(?P<line>\d*):? \(\w+/\d\) (?P<message>.*)")


def render(text: str, content_type: str) -> str:
    """Turn a description into HTML.

    Args:
        text: as it was written.
        content_type: of the core metadata; ``""`` where it gives none.

    Returns:
        harmless HTML for the inside of a page: no scripts, ids with ``ID_PREFIX``, links with ``LINK_REL``,
        headings from ``structure.FIRST_LEVEL`` on, pictures that are loaded when they come into sight.

    Raises:
        NotRendered: the description has to be shown as plain text.

    Source:
        Core metadata specifications, Description-Content-Type: none given means reStructuredText, an unknown
        type plain text, an unknown variant of Markdown GFM.
    """
    header = Message()
    header["Content-Type"] = content_type
    match header.get_content_type() if content_type else "":
        case "":
            return _harmless(
                _rst(text, "reStructuredText, the format of descriptions without a content type")
            )
        case "text/x-rst":
            return _harmless(_rst(text, "reStructuredText"))
        case "text/markdown":
            variant = "CommonMark" if header.get_param("variant") == "CommonMark" else "GFM"
            return _harmless(markdown.render(text, variant) or "")
        case _:
            # Nothing but text and ends of lines.
            return _AFTER.clean(txt.render(text) or "")


def _rst(text: str, called: str) -> str:
    said = io.StringIO()
    try:
        rendered = rst.render(text, stream=said)
    finally:
        # Docutils keeps the roles one text defines, and would let it change what later texts mean.
        roles._roles.clear()
    if rendered is None:
        raise NotRendered(f"does not render as {called} ({_first_complaint(said.getvalue())})")
    return rendered


def _first_complaint(said: str) -> str:
    found = _DOCUTILS_SAYS.search(said)
    if found is None:
        return "there is nothing to show"
    line = f"line {found['line']}: " if found["line"] else ""
    return line + _shown(found["message"].removesuffix("."))


def _shown(message: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in message)
    return printable if len(printable) <= _SHOWN_CHARACTERS else printable[:_SHOWN_CHARACTERS] + "…"


# What readme_renderer lets through is harmless. Nothing it does not name is in the tree that is mended, and
# nothing we do not name comes out of it.
_BEFORE = nh3.Cleaner(
    tags=ALLOWED_TAGS,
    attributes={**ALLOWED_ATTRIBUTES, "caption": {"align"}},
    link_rel=None,
    url_schemes=_SCHEMES,
)
_AFTER = nh3.Cleaner(
    tags=(ALLOWED_TAGS | {"code"}) - {"acronym", "aside", "input", "nav", "picture", "tt"},
    attributes={
        "*": {"class", "id"},
        "a": {"aria-label", "href", "title"},
        "abbr": {"title"},
        "div": {"aria-label"},
        "img": {"alt", "height", "src", "width"},
        "ol": {"start"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
    },
    tag_attribute_values={
        "div": {"role": {"region"}, "tabindex": {"0"}},
        "img": {"decoding": {"async"}, "loading": {"lazy"}},
        "pre": {"tabindex": {"0"}},
    },
    id_prefix=ID_PREFIX,
    link_rel=LINK_REL,
    url_schemes=_SCHEMES,
)


def _harmless(html: str) -> str:
    root = parse(_BEFORE.clean(html))
    structure.mend(root)
    links.mend(root)
    return _AFTER.clean(serialize(root))
