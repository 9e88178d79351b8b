"""The page that finds projects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index
from tests.web.test_pages import Reader


async def publish(index: Index, name: str, summary: str, headers: Any = ()) -> None:
    metadata = core_metadata(name, headers=[("Summary", summary), *headers])
    reply = await index.upload(wheel(name, metadata=metadata), wheel_filename(name), name=name)
    assert reply.status == 200, reply.text


async def test_words(new_index: Index) -> None:
    """What has the words is found, as soon as it was published, and leads to its page."""
    await publish(new_index, "Brie.Knife", "Cuts <soft> cheese")
    assert "No projects" in (await new_index.ask("/search/?q=granite")).text
    await publish(new_index, "stone", "Hard granite")
    page = await new_index.ask("/search/?q=granite")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "1 project" in page.text
    assert '<a href="/project/stone/">stone</a> 1.0: Hard granite' in page.text
    found = await new_index.ask("/search/?q=brie+cheese")
    assert '<a href="/project/Brie.Knife/">Brie.Knife</a> 1.0: Cuts &lt;soft&gt; cheese' in found.text
    assert "stone" not in found.text


async def test_classifier(new_index: Index) -> None:
    """Without words, what has a classifier is shown, or one below it."""
    await publish(new_index, "one", "One", [("Classifier", "Programming Language :: Python :: 3 :: Only")])
    await publish(new_index, "two", "Two", [("Classifier", "Framework :: Twisted")])
    page = (await new_index.ask("/search/?c=Programming+Language+%3A%3A+Python")).text
    assert '<a href="/project/one/">one</a> 1.0: One' in page
    assert "two" not in page
    assert "/project/two/" in (await new_index.ask("/search/?c=Framework+%3A%3A+Twisted")).text
    assert "No projects" in (await new_index.ask("/search/?c=Framework+%3A%3A+Twi")).text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?q=",
        "?q=+",
        "?q=the",
        "?q=%ff",
        "?q=%25&page=9",
        "?q='&o=-created",
        "?x",
    ],
)
async def test_little_to_look_for(index: Index, query: str) -> None:
    """Whatever is asked, there is a page with a form."""
    page = await index.ask(f"/search/{query}")
    assert page.status == 200
    assert '<form action="/search/"' in page.text


async def test_it_is_html(index: Index) -> None:
    """What was asked for is shown as text, in elements that are all closed."""
    page = (await index.ask("/search/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).text
    assert "<script" not in page
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []


async def test_too_much(index: Index) -> None:
    """More than anybody can mean is refused."""
    words = "+".join(f"word{number}" for number in range(60))
    assert (await index.ask(f"/search/?q={words}")).status == 400


async def test_kept(index: Index) -> None:
    """The same question is answered out of memory."""
    await index.ask("/search/?q=kept")
    again = await index.ask("/search/?x=y&q=kept")
    assert (again.status, again["Cache-Status"]) == (200, "cheeseshop-l1; hit")
