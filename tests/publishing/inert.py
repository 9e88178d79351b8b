"""An independent judge of HTML: whether it can do anything but be looked at.

It knows nothing of what made the HTML. It takes the page apart with the standard library's parser and calls
dangerous whatever is not on its own lists; addresses are read as browsers read them (WHATWG URL).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

TAGS = frozenset(
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure "
    "h3 h4 h5 h6 hr i img kbd li ol p pre section span strong sub summary sup table tbody td th thead tr ul "
    "var".split()
)
ATTRIBUTES = frozenset("alt aria-label class colspan height href id rel rowspan start title width".split())
FIXED = {"decoding": "async", "loading": "lazy", "role": "region", "tabindex": "0"}
CLASSES = re.compile(
    "wide|prose__[a-z]+|[a-z][a-z0-9]{0,2}|align-(left|right|center)|(admonition|sidebar|topic)(-title)?|"
    "attention|attribution|caution|citation(-list)?|colon|contents|danger|error|field-list|figure|fn-bracket|"
    "footnote(-list)?|head|hint|important|label|line(-block)?|literal(-block)?|math|note|option(-list)?|rubric|"
    "tip|warning"
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
    if name not in ATTRIBUTES and FIXED.get(name) != value and (tag, name) != ("img", "src"):
        yield f"{name} of {tag}"
    if name == "class" and not all(CLASSES.fullmatch(one) for one in value.split()):
        yield f"class {value!r}"
    if name == "id" and not value.startswith("user-content-"):
        yield f"id {value!r}"
    if name in ADDRESSES and scheme(value) not in SCHEMES and not value.startswith("#"):
        yield f"{name} {value!r}"
    if name == "href" and value.strip().startswith("#") and not re.match(r"#(user-content-|$)", value):
        yield f"href {value!r} to another part of the page"
