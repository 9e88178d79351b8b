"""Static files: each under a name that changes with its content, ready in both encodings."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files as resources
from importlib.resources.abc import Traversable

from attrs import field, frozen

from pypi.domain.errors import NoSuchFile
from pypi.http.answer import Answer
from pypi.web.assets_build import Misplaced, script, style_sheet

STYLE = "cheeseshop.css"
SCRIPT = "cheeseshop.js"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
}

HEADERS = (("Cross-Origin-Resource-Policy", "cross-origin"),)
"""Anybody may show the wedge."""

_HASHED = re.compile(r"(.+)-[0-9a-f]{16}(\.[a-z]+)")

SVG_HEADERS = (
    *HEADERS,
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
)
"""An SVG may style itself, for light and dark; opened as a page it can do nothing."""


@frozen
class Asset:
    """One static file.

    Attributes:
        name: with a hash of its content in it.
        packed: ``body`` as gzip.
    """

    name: str
    content_type: str
    body: bytes = field(repr=False)
    packed: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, body: bytes) -> Asset:
        """The file that is called ``name`` where it lies.

        Raises:
            Misplaced: nobody knows its type.
        """
        stem, dot, suffix = name.rpartition(".")
        if dot + suffix not in TYPES:
            raise Misplaced(f"{name} has no known type")
        digest = hashlib.sha256(body).hexdigest()[:16]
        return cls(
            f"{stem}-{digest}.{suffix}",
            TYPES[dot + suffix],
            body,
            gzip.compress(body, compresslevel=9, mtime=0),
        )

    def answer(self) -> Answer:
        """The file as an answer."""
        headers = SVG_HEADERS if self.name.endswith(".svg") else HEADERS
        return Answer(body=self.body, content_type=self.content_type, headers=headers, gzip=self.packed)


@frozen(eq=False)
class Assets:
    """All static files.

    Attributes:
        by_name: each under its name without a hash.
    """

    by_name: Mapping[str, Asset] = field(repr=False)
    _served: Mapping[str, Asset] = field(init=False, repr=False)

    @_served.default
    def _by_served_name(self) -> Mapping[str, Asset]:
        return {asset.name: asset for asset in self.by_name.values()}

    @classmethod
    def installed(cls) -> Assets:
        """Those that come with Cheeseshop."""
        return cls.of(resources("templates").joinpath("static"))

    @classmethod
    def of(cls, folder: Traversable) -> Assets:
        """Those of a folder with ``css``, ``js`` and ``assets``.

        Raises:
            Misplaced: something does not belong where it lies.
        """
        found = {STYLE: style_sheet(folder.joinpath("css")), SCRIPT: script(folder.joinpath("js"))}
        for file in folder.joinpath("assets").iterdir():
            found[file.name] = file.read_bytes()
        return cls({name: Asset.of(name, body) for name, body in found.items()})

    def url(self, name: str) -> str:
        """Where a file is, by its name without a hash; it changes with the content."""
        return f"/static/{self.by_name[name].name}"

    def served(self, name: str) -> Asset:
        """The file of just this name and content; or, for another content, the one of today.

        Raises:
            NoSuchFile: there never was one.
        """
        if name in self._served:
            return self._served[name]
        hashed = _HASHED.fullmatch(name)
        today = self.by_name.get(f"{hashed[1]}{hashed[2]}") if hashed else None
        if today is None:
            raise NoSuchFile(name)
        return today
