"""The list of all projects as ready answers of XML-RPC, which mirrors and dashboards of old ask for.

``await names.latest(LIST_PACKAGES)`` is the whole answer, plain and as gzip; ``pypi.http.streams.of_blocks``
sends it. It is made when somebody asks for it the first time, and from then on a bucket at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from caching.buckets import Fields, Format

_HEAD = b"<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>"
_FOOT = b"</value>\n</param>\n</params>\n</methodResponse>\n"


def _names(lines: Sequence[Fields]) -> bytes:
    return "".join(
        f"<value><string>{name}</string></value>\n" for name in _safe([name for _, name, _ in lines])
    ).encode()


def _members(lines: Sequence[Fields]) -> bytes:
    # Clients of Python 2.7 know no wider integers by another tag, but take an <int> of any size.
    names = _safe([name for _, name, _ in lines])
    return "".join(
        f"<member><name>{name}</name><value><int>{line[2]}</int></value></member>\n"
        for name, line in zip(names, lines, strict=True)
    ).encode()


def _safe(names: Sequence[str]) -> Sequence[str]:
    # What valid names are made of needs no escapes; to look once is cheaper than to escape each.
    return [escape(name, quote=False) for name in names] if set("".join(names)) & set("&<>") else names


LIST_PACKAGES = Format(
    name="xmlrpc-list-packages",
    head=lambda _: _HEAD + b"<array><data>\n",
    lines=_names,
    foot=b"</data></array>" + _FOOT,
)
"""``list_packages()``: the display name of each."""

LIST_PACKAGES_WITH_SERIAL = Format(
    name="xmlrpc-list-packages-with-serial",
    head=lambda _: _HEAD + b"<struct>\n",
    lines=_members,
    foot=b"</struct>" + _FOOT,
)
"""``list_packages_with_serial()``: display name → serial of its last change."""
