"""Whether all that is active on a page is our own, judged by a parser of HTML that reads as browsers do.

It knows what our templates use. A text that became markup would have brought an element, an attribute or a
scheme that is none of these, or a control more than the page of a project that is not hostile has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from selectolax.lexbor import LexborHTMLParser

TEXT = frozenset(
    "a abbr address article aside b blockquote br caption cite code col colgroup dd del details div dl dt em "
    "figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img kbd li main mark nav ol p pre s search "
    "section small span strong sub summary sup table tbody td tfoot th thead time tr ul var wbr".split()
)
DRAWN = frozenset("circle defs g line path polyline polygon rect svg text title tspan".split())
ACTIVE = frozenset(
    "body button datalist fieldset form head html input label legend link meta optgroup option output script "
    "select title".split()
)
"""Those that do something, or are there once: as many as on a page that is not hostile."""
ADDRESSES = frozenset(
    ("action", "cite", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href")
)
KINDS = re.compile(r"https?://|mailto:|/(?![/\\])|#|\?|$", re.IGNORECASE)


def strangers(html: str, like: str = "") -> list[str]:
    """What is on a page that should not be; ``[]`` if all is ours.

    Args:
        like: a page of the same kind, of somebody who is not hostile.
    """
    page = LexborHTMLParser(html)
    found = [f"{text!r} closes something" for text in _stray(html)]
    ids: Counter[str] = Counter()
    for node in page.root.traverse():
        found += _of_element(node)
        ids[node.attributes.get("id") or ""] += 1
    found += [f"id {name!r} {times} times" for name, times in ids.items() if name and times > 1]
    if like:
        expected, there = _active(LexborHTMLParser(like)), _active(page)
        found += [f"{one} {there[one]} times" for one in there if there[one] > expected[one]]
    return found


def _of_element(node: Any) -> Iterator[str]:
    name = node.tag
    if name not in TEXT | DRAWN | ACTIVE:
        yield f"<{name}>"
    for attribute, value in node.attributes.items():
        if attribute.startswith("on") or attribute in ("style", "srcdoc", "ping", "background", "formaction"):
            yield f"{attribute}={value!r} of <{name}>"
        if re.search(r"[^a-z0-9:-]", attribute, re.ASCII) and name not in DRAWN:
            yield f"attribute {attribute!r} of <{name}>"
        if attribute in ADDRESSES and not KINDS.match(value or ""):
            yield f"{attribute}={value!r} of <{name}>"
    if name == "script" and not (node.attributes.get("src") or "").startswith("/static/"):
        yield "a script of others"
    if (name in ("script", "style") and node.text().strip()) or name == "style":
        yield f"{name} with {node.text()[:40]!r}"
    if name == "form" and not (node.attributes.get("action") or "/").startswith("/"):
        yield "a form that leads elsewhere"
    if name == "meta" and "http-equiv" in node.attributes:
        yield "a meta that acts"


def _active(page: LexborHTMLParser) -> Counter[str]:
    """What does something on a page, by name and by what it does."""
    nodes = (node for node in page.root.traverse() if node.tag in ACTIVE)
    wanted = ("name", "type", "rel", "action", "src")
    return Counter(
        " ".join((node.tag, *(f"{key}={node.attributes[key]}" for key in wanted if key in node.attributes)))
        for node in nodes
    )


def _stray(html: str) -> list[str]:
    """Comments, declarations and instructions, and ends of what was never begun: templates write none."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.open: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[tag] += 1
        names = [name for name, _ in attrs]
        self.found += [f"<{tag}> with {name} twice" for name in {*names} if names.count(name) > 1]

    def handle_endtag(self, tag: str) -> None:
        self.open[tag] -= 1
        if self.open[tag] < 0:
            self.found.append(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        # Mirrors read this at the end of pages for installers.
        if not re.fullmatch("SERIAL [0-9]+", data):
            self.found.append(f"<!--{data[:40]}-->")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.found.append(f"<!{decl[:40]}>")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"<![{data[:40]}]>")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"<?{data[:40]}>")
