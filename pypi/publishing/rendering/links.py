"""Where a description leads, and what it shows: links that lead somewhere, pictures that are somewhere.

A description is written for the place where its sources are kept. Links and pictures that are relative to
that place lead nowhere from here; what they are called stays as text.
"""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import unquote, urlsplit

from pypi.publishing.rendering.structure import ID_PREFIX
from pypi.publishing.rendering.tree import Element

_LONGEST_NAME = 80
_SIZE = re.compile(r"([0-9]{1,4})(?:px)?|([0-9]{1,3}%)", re.ASCII)
# What browsers take off both ends of an address before they look at it, and out of the middle.
_AT_ENDS = "".join(map(chr, range(0x21)))
_ANYWHERE = str.maketrans("", "", "\t\n\r")


def mend(root: Element) -> None:
    """Change what leads nowhere, and let everything else say where it leads."""
    elements = list(root.walk())
    targets = {element.attributes["id"] for element in elements if "id" in element.attributes}
    for element in elements:
        if element.name == "img":
            _show(element)
    for element in elements:
        if element.name == "a":
            _lead(element, targets)


def _show(picture: Element) -> None:
    attributes = picture.attributes
    address = _whole(attributes.get("src", ""))
    alternative = attributes.get("alt", "")
    if not address.startswith("http"):
        picture.replace(alternative)
        return
    sizes = {side: _size(attributes.get(side, "")) for side in ("width", "height")}
    picture.attributes = {
        "src": escape(address),
        "alt": alternative,
        **{side: size for side, size in sizes.items() if size},
        **{name: attributes[name] for name in ("class", "id") if name in attributes},
        "loading": "lazy",
        "decoding": "async",
    }


def _size(given: str) -> str:
    found = _SIZE.fullmatch(given.strip())
    return (found[1] or found[2]) if found else ""


def _lead(link: Element, targets: set[str]) -> None:
    attributes = link.attributes
    given = attributes.pop("href", "")
    address = _within(given, targets) if _bare(given).startswith("#") else _whole(given)
    pictures = [one for one in link.walk() if one.name == "img"]
    if not address or not (pictures or link.text().strip()):
        attributes.pop("title", None)
        link.name = "a" if "id" in attributes else ""
        return
    attributes["href"] = escape(address)
    if not link.text().strip() and not any(one.attributes["alt"].strip() for one in pictures):
        attributes["aria-label"] = escape(address.partition(":")[2].strip("/")[:_LONGEST_NAME])


def _bare(given: str) -> str:
    """What a browser makes of an attribute before it looks at the address."""
    return unescape(given).strip(_AT_ENDS).translate(_ANYWHERE)


def _whole(given: str) -> str:
    """An address that is one everywhere; ``""`` for any other."""
    address = _bare(given)
    if address.startswith("//"):
        address = f"https:{address}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme == "mailto":
        return address
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def _within(given: str, targets: set[str]) -> str:
    """A link within the description follows an id to its new name, also where only their case differs."""
    name = _bare(given).removeprefix("#").removeprefix(ID_PREFIX)
    for spelling in (name, unquote(name)):
        for candidate in (spelling, spelling.lower()):
            if ID_PREFIX + candidate in targets:
                return f"#{ID_PREFIX}{candidate}"
    return ""
