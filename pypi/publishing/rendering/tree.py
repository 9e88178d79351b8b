"""HTML as a sanitiser writes it, taken apart into a tree and written down again.

This is no parser of HTML: it reads the one spelling that the sanitiser uses, in which every element is
closed, every attribute is quoted and no text has an angle bracket, and refuses everything else. So nothing is
one thing here and another in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from attrs import define, field

VOID = frozenset(("br", "col", "hr", "img", "input"))

_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z][a-z-]*="[^"<>]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')


class NotCanonical(ValueError):
    """That is not how the sanitiser writes."""


@define(eq=False)
class Element:
    """An element.

    Attributes:
        name: ``""`` for none: only what is in it is written.
        attributes: name → value, quoted as in HTML.
        children: elements, and texts quoted as in HTML.
    """

    name: str
    attributes: dict[str, str] = field(factory=dict)
    children: list[Element | str] = field(factory=list, repr=False)

    def elements(self) -> Iterator[Element]:
        """The elements directly in it."""
        return (child for child in self.children if isinstance(child, Element))

    def walk(self) -> Iterator[Element]:
        """Every element within it, in the order of the document; what is found may be changed."""
        waiting = list(self.elements())[::-1]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += list(element.elements())[::-1]

    def text(self) -> str:
        """All text in it, as one reads it."""
        pieces: list[str] = []
        waiting: list[Element | str] = [self]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                pieces.append(one)
            else:
                waiting += one.children[::-1]
        return unescape("".join(pieces))

    def wrap(self, name: str, attributes: dict[str, str]) -> None:
        """Put another element around it, in its place."""
        inner = Element(self.name, self.attributes, self.children)
        self.name, self.attributes, self.children = name, attributes, [inner]

    def replace(self, *children: Element | str) -> None:
        """Put something else in its place."""
        self.name, self.attributes, self.children = "", {}, list(children)


def parse(html: str) -> Element:
    """The tree of some HTML, under an element without a name.

    Raises:
        NotCanonical: it was not written by the sanitiser.
    """
    root = Element("")
    opened = [root]
    end = 0
    for tag in _TAG.finditer(html):
        _add_text(opened[-1], html[end : tag.start()])
        end = tag.end()
        closing, name, attributes = tag.groups()
        if closing:
            if attributes or opened.pop().name != name:
                raise NotCanonical(tag[0])
            continue
        element = Element(name, dict(_ATTRIBUTE.findall(attributes)))
        opened[-1].children.append(element)
        if name not in VOID:
            opened.append(element)
    _add_text(root, html[end:])
    if len(opened) != 1:
        raise NotCanonical(f"<{opened[-1].name}> without an end")
    return root


def _add_text(element: Element, text: str) -> None:
    if "<" in text or ">" in text:
        raise NotCanonical(text[:60])
    if text:
        element.children.append(text)


def serialize(root: Element) -> str:
    """The HTML of a tree."""
    pieces: list[str] = []
    waiting: list[Element | str] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            pieces.append(one)
            continue
        if one.name:
            pieces.append(_start(one))
        if one.name and one.name not in VOID:
            waiting.append(f"</{one.name}>")
        waiting += one.children[::-1]
    return "".join(pieces)


def _start(element: Element) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in element.attributes.items())
    return f"<{element.name}{attributes}>"
