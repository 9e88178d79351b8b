"""Recorded requests as bytes: what is sent in place of what once was."""

from __future__ import annotations

import re
from functools import lru_cache

JSON = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1"
LONGEST_AGENT = 500

_TAKES_JSON = re.compile(r"pip/(?:22\.[2-9]|2[3-9]|[3-9][0-9])|uv/|poetry/[2-9]|pdm/[2-9]|bandersnatch/[6-9]")
_TAKES_GZIP = re.compile(r"Mozilla/|Opera/|pip/|uv/|poetry/|pdm/|python-requests/|twine/|bandersnatch/", re.I)
_ELSEWHERE = re.compile(r"[^ -~]")


def ask(method: str, target: str, *, host: str, agent: str, body: str = "", more: str = "") -> bytes:
    """A request, with the headers that logs do not tell of as clients of this name send them.

    Nothing that tells who somebody is: no credentials, no cookies, no address.

    Args:
        method: GET, HEAD or POST, which is XML-RPC.
        target: printable ASCII without blanks.
        host: value of ``Host``.
        agent: as logged; what is no printable ASCII is left out.
        body: of a call.
        more: further lines, each with its end.
    """
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{_lines(agent)}{more}"
    if method != "POST":
        return f"{head}\r\n".encode("latin-1")
    data = body.encode()
    return f"{head}Content-Type: text/xml\r\nContent-Length: {len(data)}\r\n\r\n".encode("latin-1") + data


@lru_cache(4096)
def _lines(agent: str) -> str:
    lines = [f"User-Agent: {_ELSEWHERE.sub('', agent)[:LONGEST_AGENT]}\r\n"] if agent else []
    lines.append(f"Accept: {JSON if _TAKES_JSON.match(agent) else '*/*'}\r\n")
    if _TAKES_GZIP.match(agent):
        lines.append("Accept-Encoding: gzip, deflate\r\n")
    return "".join(lines)
