"""The page of all classifiers."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from trove_classifiers import deprecated_classifiers, sorted_classifiers

from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index
from tests.support.keeping import until_kept
from tests.web.pages.test_home import Reader


async def publish(index: Index, name: str, *classifiers: str, version: str = "1.0") -> None:
    headers: Any = [("Classifier", one) for one in classifiers]
    metadata = core_metadata(name, version, headers=headers)
    reply = await index.upload(
        wheel(name, version, metadata=metadata), wheel_filename(name, version), name=name, version=version
    )
    assert reply.status == 200, reply.text


def counts(page: str) -> dict[str, int]:
    """What each link to a classifier says → how many projects it says have it."""
    links = re.findall(r'classifier-tree__link[^>]*>([^<]+)</a> <span class="[^"]+">([\d,]+)<', page)
    return {unescape(label): int(number.replace(",", "")) for label, number in links}


async def test_all(index: Index) -> None:
    """Every classifier that may be used, or might once, leads to what has it."""
    page = await index.ask("/classifiers/")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    links = {unescape(link) for link in re.findall(r'href="([^"]+)"', page.text)}
    for classifier in (*sorted_classifiers, *deprecated_classifiers):
        spelled = "/search/?c=" + re.sub(
            "[^A-Za-z0-9_.~+-]", lambda found: f"%{ord(found[0]):02X}", classifier.replace("+", "%2B")
        ).replace("%20", "+").replace("%252B", "%2B")
        assert spelled in links, classifier
    assert page.text.count("deprecated</span>") == len(deprecated_classifiers)
    assert "Use Framework :: Django CMS :: 5.0 instead." in page.text
    reader = Reader()
    reader.feed(page.text)
    reader.close()
    assert reader.open == []


async def test_counts(new_index: Index) -> None:
    """Each says how many projects have it, or one below it, by the release that readers mean; at once."""
    assert set(counts((await new_index.ask("/classifiers/")).text).values()) == {0}
    await publish(
        new_index, "one", "Framework :: Django", "Framework :: Django :: 5.0", "Framework :: AsyncIO"
    )
    await publish(new_index, "two", "Framework :: Django :: 4.0", "Private :: Cheese")
    page = (await new_index.ask("/classifiers/")).text
    found = counts(page)
    assert found["All of Django"] == 2
    assert found["AsyncIO"] == found["Cheese"] == 1
    assert ">2 projects</a>" in page
    await publish(new_index, "one", "Framework :: AsyncIO", version="2.0")
    assert counts((await new_index.ask("/classifiers/")).text)["All of Django"] == 1
    new_index.sql("UPDATE projects SET status = 'quarantined' WHERE name = 'two'")
    await publish(new_index, "three")
    assert counts((await new_index.ask("/classifiers/")).text)["All of Django"] == 0


async def test_kept(index: Index) -> None:
    """The page comes out of memory."""
    await until_kept(index, "/classifiers/?x=y")


async def test_many(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is much to count, it is counted seldom."""
    monkeypatch.setattr("pypi.index.classifiers.MANY", 1)
    await publish(new_index, "one", "Framework :: AsyncIO")
    assert counts((await new_index.ask("/classifiers/")).text)["AsyncIO"] == 1
    await publish(new_index, "two", "Framework :: AsyncIO")
    assert counts((await new_index.ask("/classifiers/")).text)["AsyncIO"] == 1
