"""The shape of a URL: what is left of it without names, so that thousands of addresses are a dozen lines."""

from __future__ import annotations

import re

KNOWN = frozenset(
    "account api cgi-bin favicon.ico health icons id json last-modified legacy local-stats manage oauth "
    "opensearch.xml p packages project pypi raw-packages robots.txt RPC2 rss search security serial "
    "serversig sessions simple sitemap.xml static stats daytime u user webstats".split()
)
"""First segments that say what kind of address it is; every other one is a name."""

DEEPER = frozenset({"json", "doap", "files", "index.html", "source", "any", "updates.xml", "packages.xml"})
"""Further segments that are no names."""

MOST_SEGMENTS = 8

_ACTION = re.compile(r"(?:^|[&;])(?::|%3A|%253A)action=([A-Za-z_0-9]{1,30})", re.IGNORECASE)


def shape(target: str) -> str:
    """The shape of a target, such as ``/simple/*/`` or ``/pypi?:action=display``."""
    path, mark, query = target.partition("#")[0].partition("?")
    first, *rest = path.removeprefix("/").split("/")
    rest = [segment if segment in DEEPER else segment and "*" for segment in rest]
    if len(rest) > MOST_SEGMENTS:
        rest = [*rest[:MOST_SEGMENTS], "…"]
    found = "/" + "/".join([first if first in KNOWN else first and "*", *rest])
    if action := _ACTION.search(query):
        return f"{found}?:action={action[1]}"
    return found + "?…" if mark and query else found
