"""Reads where mail goes: what may be said of a mail server in a URL."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pypi.config import values
from pypi.config.values import NotAllowed

TLS = ("required", "offered", "off")

_url = values.url("smtp", "smtps", "file", words=("", "off"))


def mail_url(value: object) -> str:
    """``smtp://user:password@host:587?tls=…&ca=…``, ``smtps://…``, ``file:///folder``, ``off`` or nothing."""
    given = _url(value)
    parts = urlsplit(given)
    if parts.scheme in {"smtp", "smtps"}:
        for allowed in _allowed(parts, dict(parse_qsl(parts.query, keep_blank_values=True))):
            raise NotAllowed(allowed)
    return given


def _allowed(parts: SplitResult, given: dict[str, str]) -> Iterator[str]:
    """What would be, for each thing that is wrong; nothing of the URL is in it."""
    if not parts.hostname:
        yield "a URL with a host, such as smtp://mail.example.org:587"
    if given.keys() - {"tls", "ca"}:
        yield "tls=… and ca=… after the question mark, nothing else"
    if "tls" in given and (parts.scheme == "smtps" or given["tls"] not in TLS):
        yield f"tls={', '.join(TLS)}, of smtp:// only"
    if bool(parts.username) != bool(parts.password):
        yield "a user with a password, or neither"
    if parts.username and given.get("tls") == "offered":
        yield "tls=required with a password (or, within a network of yours, tls=off)"
