"""Pictures of descriptions are fetched where the operator says, and by HTTPS."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from pypi.http.camo import Camo
from pypi.publishing.rendering import markup
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import running

PROXY = Camo(url="https://pictures.example/camo", key="cheese")
NONE = Camo()


def signed(picture: str) -> str:
    """Where the proxy shows a picture."""
    digest = hmac.new(b"cheese", picture.encode(), hashlib.sha1).hexdigest()
    return f"https://pictures.example/camo/{digest}/{picture.encode().hex()}"


def test_known_answer() -> None:
    """The address of a picture is what proxies of this kind expect."""
    assert PROXY.address("http://a.example/b.png") == (
        "https://pictures.example/camo/195232f2480a38334c0421286be35d0b47bcacfd/"
        "687474703a2f2f612e6578616d706c652f622e706e67"
    )


@pytest.mark.parametrize(
    "picture", ["http://a.example/b.png", "https://a.example/?b=1&c=%22d", "https://é.example/\u00a0"]
)
def test_through_the_proxy(picture: str) -> None:
    """Every picture of a description is asked for through the proxy, whatever is in its URL."""
    written = picture.replace("&", "&amp;")
    html = markup.render(f'a <img alt="x > y" src="{written}" width="1"> b', "text/markdown")
    shown = PROXY.pictures(html)
    assert f' src="{signed(picture)}"' in shown
    assert "a.example" not in shown
    assert shown.count('"') == html.count('"')


def test_without_a_proxy() -> None:
    """Pictures of plain HTTP are asked for by HTTPS; everything else stays as it is."""
    html = '<p>http: <a href="http://a.example/">x</a><img alt="" src="http://a.example/?a&amp;b"></p>'
    expected = html.replace('src="http:', 'src="https:')
    assert NONE.pictures(html) == expected
    assert NONE.pictures(expected) == expected


def test_look_alikes() -> None:
    """What only looks like a picture, inside of text or of an attribute, is left alone."""
    html = '<span class="<img src=" id=">http://a.example/">&lt;img src="http://a.example/"&gt;</span>'
    assert PROXY.pictures(html) == html


def test_the_key_is_not_told() -> None:
    """What shows up in logs does not tell the key."""
    assert "cheese" not in repr(PROXY)


async def test_pages(database_url: str, tmp_path: Path) -> None:
    """The page of a project asks the proxy for pictures, and tells browsers that there are no others."""
    proxy = {"pages__camo_url": PROXY.url, "pages__camo_key": PROXY.key}
    about = core_metadata(
        headers=[("Description-Content-Type", "text/markdown")],
        description="![brie](http://a.example/b.png)\n",
    )
    async with running(database_url, tmp_path, **proxy) as index:
        reply = await index.upload(wheel(metadata=about), wheel_filename())
        assert reply.status == 200, reply.text
        page = await index.ask("/project/demo/")
        [(kept,)] = index.sql("SELECT html FROM descriptions")
    assert 'src="http://a.example/b.png"' in kept
    assert f'<img src="{signed("http://a.example/b.png")}" alt="brie"' in page.text
    assert "http://a.example" not in page.text
    assert "img-src 'self' https://pictures.example;" in page["Content-Security-Policy"]
