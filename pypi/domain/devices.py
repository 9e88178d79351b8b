"""What somebody signs in with, in words: their browser, and what it runs on, as far as it says."""

from __future__ import annotations

from collections.abc import Mapping

from pypi.domain.clients import NOBODY, OTHER, Kind, family, kind

_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "Android": ("android",),
    "iPhone": ("iphone", "ipod"),
    "iPad": ("ipad",),
    "ChromeOS": ("cros ",),
    "Windows": ("windows",),
    "macOS": ("macintosh", "mac os x"),
    "Linux": ("linux", "x11; ubuntu", "x11; fedora"),
    "BSD": ("freebsd", "openbsd", "netbsd"),
}
"""In the order in which they are looked for: Android says that it is Linux, and iPads that they are Macs."""


def in_words(agent: str) -> str:
    """Such as ``Firefox on Windows``; of what was sent nothing is repeated.

    Args:
        agent: value of ``User-Agent``.
    """
    browser = _browser(agent)
    said = agent[:300].lower()
    system = next((name for name, words in _SYSTEMS.items() if any(word in said for word in words)), None)
    return f"{browser} on {system}" if system else browser


def _browser(agent: str) -> str:
    found = family(agent.encode("utf-8", "replace"))
    if found in (NOBODY, OTHER, "other browser") or kind(found) in (Kind.ROBOT, Kind.OTHER):
        return "A browser"
    return "A text browser" if found == "text browser" else found
