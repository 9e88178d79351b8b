"""Where people are led after signing in: never to another site."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.http.next_path import LONGEST, next_path

ELSEWHERE = (
    *("https://evil.example", "http:evil.example", "http:/evil.example", "//evil.example", "///evil.example"),
    *("////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example"),
    *("/%09/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example"),
    *(" //evil.example", "/ /evil.example", "\x00//evil.example", "/%00/evil.example", "/%2f%2fevil.example"),
    *(
        "/%2F/evil.example",
        "/%5cevil.example",
        "/%5C%5Cevil.example",
        "/.//evil.example",
        "/..//evil.example",
    ),
    *("/./\\evil.example", "/%2e/%2e//evil.example", "/a/..//evil.example", "/a//evil.example", "/a//"),
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "mailto:a@evil.example",
    ),
    *(
        "evil.example",
        "@evil.example",
        ":80",
        "?next=/",
        "#x",
        ".",
        "..",
        "./",
        "../",
        "/..",
        "/.",
        "/a/../b",
    ),
    *("/%2e%2e/b", "/%2E./b", "/%2e", "〱evil.example", "/／evil.example", "／／evil.example"),
    *(
        "//evil。example",
        "/\u2028/evil.example",
        "/a#//evil.example",
        "/a?b#c",
        "/<script>",
        '/"',
        "/a b",
        "/é",
    ),
    *("/a%", "/a%2", "/a%zz", "/a\r\nSet-Cookie: x=y", "/a%0d%0aSet-Cookie:x", "/a?\r\nx", "/a?b c", "/a%0a"),
    *(
        "/a?x=\\",
        "/a\x7f",
        "/%7f",
        "/[::1]",
        "http://[::1]/",
        "//user:pw@evil.example",
        "///",
        "//",
        "\\",
        "",
    ),
    *("https:evil.example", "https:///evil.example", "/\u200b/evil.example", "/" + "a" * LONGEST),
)

HERE = (
    *(
        "/",
        "/manage/",
        "/manage/project/my-project/",
        "/account/tokens/?page=2",
        "/search/?q=a+b&c=Topic+%3A%3A",
    ),
    *(
        "/project/caf%C3%A9/",
        "/a?next=//evil.example",
        "/a?next=https://evil.example/",
        "/...",
        "/a..b/",
        "/.a",
    ),
    *("/~ada/", "/user/a%20b/".replace("%20", "+"), "/a?b=%0a", "/a@evil.example", "/a:80/", "/a?b?c"),
)


@pytest.mark.parametrize("given", ELSEWHERE)
def test_elsewhere(given: str) -> None:
    """What any browser might read as another site, or as another path, leads home."""
    assert next_path(given) == "/"
    assert next_path(given, "/account/") == "/account/"


def test_nothing_given() -> None:
    """Who was on the way to nowhere goes home."""
    assert next_path(None) == "/"


@pytest.mark.parametrize("given", HERE)
def test_here(given: str) -> None:
    """Paths of this site are followed as they are."""
    assert next_path(given) == given


@given(st.text(alphabet="/\\.:@?#%25ef\t\n a-", max_size=20) | st.text(max_size=20))
def test_always_here(given: str) -> None:
    """Whatever is given, the way leads to this host, also for who decodes it once more, or ignores blanks."""
    found = next_path(given)
    for seen in (found, unquote(found), found.replace("\\", "/")):
        parts = urlsplit(urljoin("https://index.example/account/login/", seen))
        assert (parts.scheme, parts.netloc) == ("https", "index.example")
    assert found.isascii()
    assert found.isprintable()
    assert not found.startswith("//")
