"""Readers: from what TOML or the environment holds to a typed value, or a word on what is allowed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pypi.domain.sizes import UNITS, show_bytes

T = TypeVar("T")
Read = Callable[[object], T]


class NotAllowed(ValueError):
    """A value a reader refuses; its text says what is allowed."""


def text(value: object) -> str:
    if not isinstance(value, str):
        raise NotAllowed("text")
    return value.strip()


def line(most: int, least: int = 0) -> Read[str]:
    """Text for people, on one line, of so many characters."""
    allowed = f"text on one line, of {least} to {most} characters"

    def read(value: object) -> str:
        given = text(value)
        if not least <= len(given) <= most or not given.isprintable():
            raise NotAllowed(allowed)
        return given

    return read


def mailbox(value: object) -> str:
    """``a@b.example``, ``Name <a@b.example>``, or nothing."""
    given = line(200)(value)
    name, address = parseaddr(given)
    if given and not re.fullmatch(r"[!#-'*+./0-9=?A-Z^_`a-z{|}~-]+@[A-Za-z0-9.-]+", address):
        raise NotAllowed("an e-mail address such as index@example.org or Index <index@example.org>")
    return formataddr((name, address)) if given else ""


def word(value: object) -> str:
    """Text fit for a header or a part of a URL: printable ASCII without blanks."""
    given = text(value)
    if not re.fullmatch(r"[!-~]*", given):
        raise NotAllowed("printable ASCII without blanks")
    return given


def number(low: int, high: int) -> Read[int]:
    allowed = f"a whole number from {low:,} to {high:,}"

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise NotAllowed(allowed)
        return value

    return read


def decimal(low: float, high: float) -> Read[float]:
    allowed = f"a number from {low:g} to {high:g}"

    def read(value: object) -> float:
        try:
            number = float(value) if isinstance(value, str | int | float) else float("nan")
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise NotAllowed(allowed)
        return number

    return read


def rate(value: object) -> str:
    """A rate as ``caching.rate`` reads it, or ``off``."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})\s*/\s*(second|minute|hour|day)|off", text(value).lower())
    if found is None:
        raise NotAllowed("a rate such as 3600/hour or 5/second, or off")
    return f"{found[1]}/{found[2]}" if found[1] else "off"


def size(low: int, high: int) -> Read[int]:
    bounds = f"from {show_bytes(low)} to {show_bytes(high)}"
    allowed = f"a number of bytes such as 262144, 256KB, 100MB or 10GB, {bounds}"

    def read(value: object) -> int:
        match = re.fullmatch(r"\s*([0-9]{1,15})\s*([KMGT]?)i?(B?)\s*", str(value), re.IGNORECASE)
        if match is None or isinstance(value, bool):
            raise NotAllowed(allowed)
        unit = match[2].upper() + ("B" if match[2] else match[3].upper())
        size = int(match[1]) * UNITS[unit]
        if not low <= size <= high:
            raise NotAllowed(allowed)
        return size

    return read


def choice(*choices: str) -> Read[str]:
    allowed = " or ".join(choices) if len(choices) < 3 else ", ".join(choices)

    def read(value: object) -> str:
        if not isinstance(value, str) or value.strip().lower() not in choices:
            raise NotAllowed(allowed)
        return value.strip().lower()

    return read


def switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"on", "off", "true", "false", "yes", "no"}:
        return value.strip().lower() in {"on", "true", "yes"}
    raise NotAllowed("on or off")


def texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(part.strip() for part in value)
    raise NotAllowed("a list of texts (in the environment: separated by commas)")


def networks(value: object) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(part)) for part in texts(value))
    except ValueError:
        raise NotAllowed("a list of networks such as 10.0.0.0/8 or ::1") from None


def table(value: object) -> Mapping[str, str]:
    if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return dict(value)
    if isinstance(value, str):
        pairs = [part.partition("=") for part in texts(value)]
        if all(key.strip() and equals for key, equals, _ in pairs):
            return {key.strip(): target.strip() for key, _, target in pairs}
    raise NotAllowed("a table of texts (in the environment: key=value, separated by commas)")


def moves(value: object) -> Mapping[str, str]:
    """Name → URL; one that is written ``{base_uri = …, include_path = false}`` gets a slash at its end."""
    if isinstance(value, dict):
        value = {name: _move(there) for name, there in value.items()}
    one = url("http", "https", words=())
    return {name: one(there) for name, there in table(value).items()}


def _move(there: object) -> object:
    if not isinstance(there, dict) or not isinstance(there.get("base_uri"), str):
        return there
    base = there["base_uri"].rstrip("/")
    return base if there.get("include_path", True) else f"{base}/"


def folder(value: object) -> Path:
    path = text(value)
    if not path or "\0" in path:
        raise NotAllowed("the path of a folder")
    return Path(path).expanduser().absolute()


def destination(value: object) -> str:
    """A file as an absolute path, ``-`` for standard output, ``off``, or nothing."""
    given = text(value)
    if given == "-" or not given:
        return given
    if given.lower() == "off":
        return "off"
    return str(folder(given))


def url(*schemes: str, words: tuple[str, ...] = ("",), bare: bool = False, path: bool = True) -> Read[str]:
    examples = ", ".join(f"{scheme}://…" for scheme in schemes)
    allowed = f"a URL beginning {examples}" + "".join(f", or {word}" for word in words if word)
    if bare:
        allowed += ", without user, query or fragment" if path else ", with nothing after the host"

    def read(value: object) -> str:
        given = text(value)
        if given in words:
            return given
        try:
            parts = urlsplit(given)
            _ = parts.port
        except ValueError:
            raise NotAllowed(allowed) from None
        if parts.scheme not in schemes or re.search(r"[\s\x00-\x1f\x7f<>\"\\]", given):
            raise NotAllowed(allowed)
        if bare and (not parts.hostname or parts.username or parts.query or parts.fragment):
            raise NotAllowed(allowed)
        if not path and parts.path.strip("/"):
            raise NotAllowed(allowed)
        return given.rstrip("/") if bare else given

    return read


def urls(*schemes: str) -> Read[tuple[str, ...]]:
    """Several URLs, each without user, query or fragment."""
    one = url(*schemes, words=(), bare=True)

    def read(value: object) -> tuple[str, ...]:
        try:
            return tuple(one(part) for part in texts(value))
        except NotAllowed as allowed:
            raise NotAllowed(f"a list, each {allowed}") from None

    return read


def is_loopback(interface: str) -> bool:
    """Whether an address to listen on is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(interface).is_loopback
    except ValueError:
        return interface == "localhost"
