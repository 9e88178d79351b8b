"""Showing the configuration without its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pypi.config.sections import Config, Key, keys
from pypi.domain.sizes import show_bytes


def shown(config: Config) -> Iterator[tuple[Key, str, str]]:
    """Every key with its effective value, secrets hidden, and where the value came from."""
    for key in keys():
        value = getattr(getattr(config, key.section), key.name)
        yield key, _show(key, value), config.origins.get(key.dotted, "default")


def _show(key: Key, value: object) -> str:
    if key.secret:
        return hide_password(str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={target}" for name, target in value.items())
    if isinstance(value, int) and ("size" in key.name or key.name == "memory"):
        return show_bytes(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


_IN_QUERY = re.compile(r"([?&](?:[a-z]*password)=)([^&#]*)", re.IGNORECASE)
"""libpq takes passwords as parameters, too: ``password``, ``sslpassword``."""


def hide_password(url: str) -> str:
    """The URL with ``***`` in place of its passwords, fit for a screen; what is no URL is all hidden."""
    if url and "://" not in url:
        return "***"
    password = urlsplit(url).password
    hidden = url.replace(f":{password}@", ":***@", 1) if password else url
    return _IN_QUERY.sub(r"\1***", hidden)


def password_in(url: str) -> str | None:
    """The password a URL carries, before its host or as a parameter, if any; what is no URL is one itself."""
    if url and "://" not in url:
        return url
    found = _IN_QUERY.search(url)
    return urlsplit(url).password or (found[2] if found else None)
