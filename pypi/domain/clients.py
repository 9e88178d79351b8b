"""Clients: which program asks, as far as its ``User-Agent`` tells, in as few kinds as say something.

What a client says of itself is hearsay: this is for counting, and never for deciding how to answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from attrs import frozen

LONGEST = 300
"""Bytes of a ``User-Agent`` that are looked at."""

OTHER = "other"
NOBODY = "none"
"""The families of those who say something unknown, and of those who say nothing."""


class Kind(Enum):
    """What clients are for."""

    TOOL = "installs, publishes or mirrors packages"
    LIBRARY = "a program of somebody's own"
    FEEDS = "reads feeds"
    BROWSER = "shows pages to a person"
    ROBOT = "reads all there is"
    OTHER = "nobody knows"


@frozen
class Family:
    """Clients of one name.

    Attributes:
        name: fit for a label.
        versioned: whether their major versions are told apart.
    """

    name: str
    kind: Kind
    versioned: bool = False


def family(agent: bytes | None) -> str:
    """The family of a client, such as ``pip 24``, ``Firefox``, ``none`` or ``other``.

    Args:
        agent: value of ``User-Agent``.
    """
    said = (agent or b"")[:LONGEST].decode("latin-1").strip().lower()
    if said in ("", "-"):
        return NOBODY
    if setuptools := _SETUPTOOLS.search(said):
        return f"setuptools {setuptools[1]}"
    product = _PRODUCT.match(said)
    known = _FIRST.get(product[1]) if product else None
    if known is not None and product is not None:
        return f"{known.name} {product[2]}" if known.versioned and product[2] else known.name
    return next((found.name for found in _within(said)), OTHER)


def kind(name: str) -> Kind:
    """The kind of a family, by the name that ``family`` gave it."""
    found = _BY_NAME.get(name) or _BY_NAME.get(name.rpartition(" ")[0])
    return found.kind if found is not None else Kind.OTHER


def _within(said: str) -> Iterator[Family]:
    for words, found in _ANYWHERE:
        if any(word in said for word in words):
            yield found


_PRODUCT = re.compile(r"([a-z][a-z0-9._+-]*?(?:\.py)?)(?:/v?([0-9]{1,2})(?![0-9])|[/ ;(]|\Z)")
"""The first product of a ``User-Agent`` and its major version (RFC 9110 §10.1.5), in lower case."""

_SETUPTOOLS = re.compile(r"\b(?:setuptools|distribute)/([0-9]{1,2})(?![0-9])")
"""It names itself behind the library that it asks with."""

_TOOLS: Mapping[str, str] = {
    "pip": "pip",
    "uv": "uv",
    "Poetry": "poetry",
    "pdm": "pdm unearth",
    "hatch": "hatch",
    "flit": "flit",
    "twine": "twine",
    "setuptools": "setuptools distutils easy_install",
    "bandersnatch": "bandersnatch",
    "devpi": "devpi devpi-server devpi-client",
    "pipenv": "pipenv",
    "rye": "rye",
    "pixi": "pixi",
    "conda": "conda mamba micromamba",
    "buildout": "buildout",
    "z3c.pypimirror": "z3c.pypimirror",
    "pep381client": "pep381client",
    "Pulp": "pulpcore",
    "Artifactory": "artifactory",
    "Nexus": "nexus",
    "Renovate": "renovate",
    "Dependabot": "dependabot",
    "Bazel": "bazel",
    "Nix": "nix",
    "MacPorts": "macports",
    "uscan": "debian",
    "Cheeseshop": "cheeseshop",
}
"""Families → the products by which they name themselves first."""

_LIBRARIES: Mapping[str, str] = {
    "Python xmlrpc": "python-xmlrpc xmlrpclib.py",
    "Python urllib": "python-urllib",
    "requests": "python-requests",
    "urllib3": "python-urllib3 urllib3",
    "httpx": "python-httpx",
    "aiohttp": "python aiohttp",
    "Twisted": "twisted twistedweb",
    "curl": "curl libcurl pycurl",
    "Wget": "wget wget2",
    "fetch": "fetch",
    "HTTPie": "httpie",
    "aria2": "aria2",
    "Go": "go go-http-client",
    "Java": "java jakarta okhttp apache-httpclient",
    "Ruby": "ruby",
    "Node.js": "node node-fetch axios undici",
    "PHP": "php",
    "Rust": "reqwest",
    "Perl": "libwww-perl lwp",
    "PowerShell": "powershell",
}

_VERSIONED = frozenset(
    (
        *("pip", "uv", "Poetry", "pdm", "hatch", "flit", "twine", "setuptools", "bandersnatch", "devpi"),
        *("Python xmlrpc", "Python urllib"),
    )
)

_ROBOTS = (
    *("Googlebot", "bingbot", "msnbot", "Slurp", "Baiduspider", "YandexBot", "DuckDuckBot", "Applebot"),
    *("GPTBot", "ClaudeBot", "AhrefsBot", "SemrushBot", "MJ12bot", "ia_archiver"),
)

_READERS = (
    *(
        "akregator",
        "apple-pubsub",
        "applesyndication",
        "bloglines",
        "feed",
        "liferea",
        "magpierss",
        "miniflux",
    ),
    *("netnewswire", "newsblur", "newsgator", "plagger", "planet/", "rss", "simplepie", "syndication"),
    *("thunderbird", "venus", "vienna", "yahoo pipes"),
)

_ROBOTIC = (
    *("bot", "crawl", "spider", "archiver", "scan", "larbin", "twiceler", "charlotte", "voyager", "proximic"),
    *("monitor", "aboutwebsearch", "nutch", "search"),
)
"""Words of those who are robots of no name, or better remain without one."""

_BROWSERS: Mapping[str, str] = {
    "Edge": "edg/ edge/",
    "Opera": "opr/ opera",
    "Firefox": "firefox/ iceweasel gecko/",
    "Chrome": "chrome/ crios/",
    "Safari": "safari",
    "Internet Explorer": "msie trident/",
    "Konqueror": "konqueror",
    "text browser": "lynx w3m links",
    "other browser": "mozilla/",
}
"""In the order in which they are looked for, since each says that it is also some of the later ones."""


def _first(named: Mapping[str, str], kind: Kind) -> Iterator[tuple[str, Family]]:
    for name, products in named.items():
        known = Family(name, kind, name in _VERSIONED)
        yield from ((product, known) for product in products.split())


_FIRST: Mapping[str, Family] = dict((*_first(_TOOLS, Kind.TOOL), *_first(_LIBRARIES, Kind.LIBRARY)))

_ANYWHERE: tuple[tuple[Sequence[str], Family], ...] = (
    *(((name.lower(),), Family(name, Kind.ROBOT)) for name in _ROBOTS),
    (_READERS, Family("feed reader", Kind.FEEDS)),
    (_ROBOTIC, Family("other robot", Kind.ROBOT)),
    *((words.split(), Family(name, Kind.BROWSER)) for name, words in _BROWSERS.items()),
)

_BY_NAME: Mapping[str, Family] = {
    known.name: known for known in (*_FIRST.values(), *(found for _, found in _ANYWHERE))
}
