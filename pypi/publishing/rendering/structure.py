"""The structure of a description, made to fit into a page that has one of its own.

Its first headings come below the page's ``h1`` and the ``h2`` before it, and none of its levels is left out;
landmarks become plain boxes; what a reader's software stumbles over is mended. What is wide can be reached by
keyboard, to be scrolled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from pypi.publishing.rendering.tree import Element

ID_PREFIX = "user-content-"
"""Before every id, so that a description cannot name what scripts and styles of the page look for."""

FIRST_LEVEL = 3
_LAST_LEVEL = 6
_LONG_LINE = 32
"""Characters of code that fit on a small screen."""
_MOST_COLUMNS, _MOST_ROWS = 100, 1000

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ol", "ul"))
_RENAMED = {"acronym": "abbr", "aside": "div", "nav": "div", "picture": "", "tt": "code"}
_HOMES = {
    "li": _LISTS,
    "dt": frozenset(("dl",)),
    "dd": frozenset(("dl",)),
    "summary": frozenset(("details",)),
}
_ALIGNED = {"left": "prose__left", "center": "prose__center", "right": "prose__right"}
# Pygments' names of tokens, and what docutils calls its boxes.
_TOKEN = re.compile(r"[a-z][a-z0-9]{0,2}")
_CLASSES = frozenset(
    "admonition admonition-title align-center align-left align-right attention attribution caution citation "
    "citation-list colon contents danger error field-list figure fn-bracket footnote footnote-list head hint "
    "important label line line-block literal literal-block math note option option-list pre rubric sidebar "
    "sidebar-title tip topic topic-title warning".split()
)


def mend(root: Element) -> None:
    """Change everything there is to be changed; texts stay as they are."""
    for element in root.walk():
        _plain(element)
    _name(root)
    _order(root)
    _put_home(root)
    _lay_tables(root)
    for element in list(root.walk()):
        if element.name == "pre" and any(len(line) > _LONG_LINE for line in element.text().splitlines()):
            element.attributes["tabindex"] = "0"


def _plain(element: Element) -> None:
    """One element by itself: none that is old, a landmark or a control; no attribute that says nothing."""
    attributes = element.attributes
    element.name = _RENAMED.get(element.name, element.name)
    classes = attributes.pop("class", "").split()
    if element.name == "span" and "literal" in classes:
        element.name = "code"
    kept = [one for one in classes if one in _CLASSES or (element.name == "span" and _TOKEN.fullmatch(one))]
    kept += _alignment(element.name, attributes.pop("align", "").lower())
    if element.name == "li" and _is_task(element):
        kept.append("prose__task")
    if kept:
        attributes["class"] = " ".join(kept)
    attributes.pop("lang", None)
    _bound(attributes, "start", r"-?[0-9]{1,9}")
    _bound(attributes, "colspan", "[0-9]{1,3}", _MOST_COLUMNS)
    _bound(attributes, "rowspan", "[0-9]{1,4}", _MOST_ROWS)
    if element.name == "input":
        element.replace(*_tick(attributes))


def _alignment(name: str, side: str) -> list[str]:
    if name == "img":
        return [f"align-{side}"] if side in ("left", "right") else []
    return [_ALIGNED[side]] if side in _ALIGNED else []


def _bound(attributes: dict[str, str], name: str, form: str, most: int | None = None) -> None:
    value = attributes.get(name)
    if value is None:
        return
    if not re.fullmatch(form, value, re.ASCII) or (most is not None and not 0 < int(value) <= most):
        del attributes[name]


def _is_task(item: Element) -> bool:
    """Whether an item begins with a box to be ticked, which goes into the paragraph after it."""
    first = list(item.elements())[:2]
    if not first or first[0].name != "input":
        return False
    if first[-1].name == "p":
        item.children.remove(first[0])
        first[-1].children[:0] = [first[0], " "]
    return True


def _tick(attributes: dict[str, str]) -> Iterable[str]:
    """The box before an item of a list of tasks; of other controls nothing is left."""
    if attributes.get("type", "").lower() == "checkbox":
        yield "\u2611" if "checked" in attributes else "\u2610"


def _name(root: Element) -> None:
    """Ids are what they are called on the page, each once; a heading takes over that of its section."""
    taken: set[str] = set()
    for element in root.walk():
        given = element.attributes.pop("id", "")
        name = given if given.startswith(ID_PREFIX) else ID_PREFIX + given
        if given and name not in taken and not re.search(r"\s", name):
            taken.add(name)
            element.attributes["id"] = name
    for element in root.walk():
        first = next(element.elements(), None)
        if element.name == "section" and first is not None and first.name in _HEADINGS:
            _hand_over(element, first)
        if element.name in _HEADINGS:
            for child in [one for one in element.elements() if one.name == "a"]:
                _anchor(child, element)


def _anchor(link: Element, heading: Element) -> None:
    """A link to the heading itself is of no use in it, nor is one back to a list of contents."""
    if not link.children:
        _hand_over(link, heading)
        link.replace()
    elif link.attributes.get("href", "").startswith(f"#{ID_PREFIX}toc-entry-"):
        link.replace(*link.children)


def _hand_over(giver: Element, taker: Element) -> None:
    if "id" in giver.attributes and "id" not in taker.attributes:
        taker.attributes["id"] = giver.attributes.pop("id")


def _order(root: Element) -> None:
    """Headings of the same level stay together, one below another is one below it."""
    above: list[int] = []
    for element in root.walk():
        level = _HEADINGS.get(element.name)
        if level is None:
            continue
        if not _says_something(element):
            element.name = "p"
            continue
        while above and above[-1] >= level:
            above.pop()
        above.append(level)
        element.name = f"h{min(FIRST_LEVEL + len(above) - 1, _LAST_LEVEL)}"


def _says_something(element: Element) -> bool:
    pictures = (one for one in element.walk() if one.name == "img")
    return bool(element.text().strip()) or any(one.attributes.get("alt", "").strip() for one in pictures)


def _put_home(root: Element) -> None:
    """Items are in lists, and nothing else is; whatever is at home nowhere becomes a box."""
    for parent in (root, *root.walk()):
        for child in parent.elements():
            if parent.name not in _HOMES.get(child.name, (parent.name,)):
                child.name = "div"
        if parent.name in _LISTS:
            parent.children = [_item(child) for child in parent.children]
        elif parent.name == "dl" and not _is_glossary(parent):
            parent.name = "div"
            for child in parent.elements():
                child.name = "div" if child.name in ("dt", "dd") else child.name


def _item(child: Element | str) -> Element | str:
    if isinstance(child, str):
        return Element("li", children=[child]) if child.strip() else child
    return child if child.name in ("li", "") else Element("li", children=[child])


def _is_glossary(element: Element) -> bool:
    texts = (child for child in element.children if isinstance(child, str))
    names = [child.name for child in element.elements()]
    in_order = not names or (names[0] == "dt" and names[-1] == "dd")
    return in_order and set(names) <= {"dt", "dd"} and not any(text.strip() for text in texts)


def _lay_tables(root: Element) -> None:
    tables = [element for element in root.walk() if element.name == "table"]
    inner = {id(within) for table in tables for within in table.walk() if within.name == "table"}
    outer = [table for table in tables if id(table) not in inner]
    for number, table in enumerate(outer, 1):
        cells = [one for one in table.walk() if one.name in ("td", "th")]
        has_data = any(cell.name == "td" for cell in cells)
        for cell in cells:
            if not has_data or not _says_something(cell):
                cell.name = "td"
        table.wrap(
            "div", {"class": "wide", "role": "region", "aria-label": _label(table, number), "tabindex": "0"}
        )


def _label(table: Element, number: int) -> str:
    caption = next((one.text().strip() for one in table.elements() if one.name == "caption"), "")
    return escape(f"Table {number}: {caption[:80]}" if caption else f"Table {number}")
