"""An independent judge of HTML: whether it can do anything but be looked at.

It knows nothing of what made the HTML. It takes the page apart with the standard library's parser and calls
dangerous whatever is not on its own lists; addresses are read as browsers read them (WHATWG URL).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

TAGS = frozenset(
    "a abbr acronym aside b blockquote br caption cite code col colgroup dd del details div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img input kbd li nav ol p picture pre section span strong sub "
    "summary sup table tbody td th thead tr tt ul var".split()
)
ATTRIBUTES = frozenset(
    "align alt checked class colspan disabled height href id lang rel rowspan src start title type "
    "width".split()
)
ADDRESSES = frozenset(("href", "src"))
SCHEMES = frozenset(("http", "https", "mailto"))
REL = frozenset(("nofollow", "noopener", "ugc"))

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([^\s<>/]*)")


def dangers(html: str) -> list[str]:
    """What speaks against showing this HTML inside a page, in words; ``[]`` if nothing does."""
    judge = _Judge()
    judge.feed(html)
    judge.close()
    # A parser may forgive what looks like no tag to it and like one to another.
    judge.found += [f"stray {tag[0]!r}" for tag in _TAG.finditer(html) if tag[2] not in TAGS]
    return judge.found


def scheme(address: str) -> str:
    """The scheme a browser sees in an address, ``""`` if it is a relative one."""
    address = address.strip("".join(map(chr, range(0x21))))
    found = _SCHEME.match(re.sub(r"[\t\n\r]", "", address))
    return found[1].lower() if found else ""


class _Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self.found += _of_attribute(tag, name, value or "")
        if tag == "a" and set((dict(attrs).get("rel") or "").split()) != REL:
            self.found.append("a link without rel")

    def handle_comment(self, data: str) -> None:
        self.found.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.found.append("a declaration")

    def unknown_decl(self, data: str) -> None:
        self.found.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("an instruction")


def _of_attribute(tag: str, name: str, value: str) -> Iterator[str]:
    if name not in ATTRIBUTES:
        yield f"{name} of {tag}"
    if name == "id" and not value.startswith("user-content-"):
        yield f"id {value!r}"
    if name in ADDRESSES and scheme(value) not in {"", *SCHEMES}:
        yield f"{name} {value!r}"
    if name == "href" and value.strip().startswith("#") and not re.match(r"#(user-content-|$)", value):
        yield f"href {value!r} to another part of the page"
