"""Clients, told by what they say of themselves."""

from __future__ import annotations

import pytest

from pypi.domain.clients import Kind, family, kind

CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "name", "what"),
    [
        (b'pip/24.0 {"ci":null,"setuptools_version":"65.5"}', "pip 24", Kind.TOOL),
        (b"pip/1.5.6 CPython/2.7.18 Linux/5.4", "pip 1", Kind.TOOL),
        (b"uv/0.4.1 {}", "uv 0", Kind.TOOL),
        (b"poetry/1.8.3 CPython/3.11", "Poetry 1", Kind.TOOL),
        (b"pdm/2.15.1 CPython/3.12", "pdm 2", Kind.TOOL),
        (b"twine/5.1.1 CPython/3.12", "twine 5", Kind.TOOL),
        (b"Python-urllib/2.5 setuptools/0.6c9", "setuptools 0", Kind.TOOL),
        (b"Python-urllib/2.7 distribute/0.7.3", "setuptools 0", Kind.TOOL),
        (b"setuptools/69.0.2 Python-urllib/3.12", "setuptools 69", Kind.TOOL),
        (b"bandersnatch/6.5.0 (cpython 3.11.4) (aiohttp 3.9)", "bandersnatch 6", Kind.TOOL),
        (b"devpi-server/6.9.2 (py3.11; linux)", "devpi 6", Kind.TOOL),
        (b"z3c.pypimirror/1.0.9", "z3c.pypimirror", Kind.TOOL),
        (b"Python-urllib/3.11", "Python urllib 3", Kind.LIBRARY),
        (b"xmlrpclib.py/1.0.1 (by www.pythonware.com)", "Python xmlrpc 1", Kind.LIBRARY),
        (b"Python-xmlrpc/3.11", "Python xmlrpc 3", Kind.LIBRARY),
        (b"python-requests/2.31.0", "requests", Kind.LIBRARY),
        (b"curl/8.5.0", "curl", Kind.LIBRARY),
        (b"Wget/1.21.4", "Wget", Kind.LIBRARY),
        (CHROME, "Chrome", Kind.BROWSER),
        (CHROME + b" Edg/120.0", "Edge", Kind.BROWSER),
        (b"Mozilla/5.0 (X11; U; rv:1.9) Gecko/2008 Firefox/3.0.4", "Firefox", Kind.BROWSER),
        (b"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "Internet Explorer", Kind.BROWSER),
        (b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://bot.example)", "Googlebot", Kind.ROBOT),
        (b"SomethingBot/1.0", "other robot", Kind.ROBOT),
        (b"Akregator/1.2.9; librss/remnants", "feed reader", Kind.FEEDS),
        (b"Citadel 7.38", "other", Kind.OTHER),
        (b"pip/2400", "pip", Kind.TOOL),
        (b"", "none", Kind.OTHER),
        (b"-", "none", Kind.OTHER),
        (None, "none", Kind.OTHER),
        (b"\xff\xfe\x00", "other", Kind.OTHER),
    ],
)
def test_families(agent: bytes | None, name: str, what: Kind) -> None:
    """A client has one family, with its major version where that says something, and each family a kind."""
    assert family(agent) == name
    assert kind(name) is what


def test_families_are_bounded() -> None:
    """Whatever is said, there are only so many families, and a long text costs no more than a short one."""
    said = [b"pip/%d.0" % number for number in range(1000)] + [b"x" * 9000 + b" bot", b"x%d/1" % 7]
    assert len({family(agent) for agent in said}) <= 102
