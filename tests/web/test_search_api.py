"""The search for programs: what it says, what it refuses, and which questions share an answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from pypi.search.inquiry import MOST_CHARACTERS, meant
from tests.support.archives import core_metadata, sdist, sdist_filename, wheel, wheel_filename
from tests.support.index import Index
from tests.support.keeping import until_kept


async def publish(index: Index, name: str, summary: str, *fields: tuple[str, str]) -> None:
    metadata = core_metadata(name, headers=[("Summary", summary), *fields])
    reply = await index.upload(wheel(name, metadata=metadata), wheel_filename(name), name=name)
    assert reply.status == 200, reply.text


async def told(index: Index, path: str) -> Any:
    """The document at an address."""
    answer = await index.ask(path)
    assert (answer.status, answer["Content-Type"]) == (200, "application/json")
    return json.loads(answer.text)


async def test_results(new_index: Index) -> None:
    """A page of hits, what they can be narrowed to, and where the words are."""
    await publish(
        new_index,
        "Brie.Knife",
        "Cuts <soft> cheese",
        ("Classifier", "Topic :: Security"),
        ("Requires-Python", ">=3.11"),
    )
    document = await told(new_index, "/api/search?q=Soft+cheese&c=Topic&python=3.12&wheels=1")
    [hit] = document.pop("hits")
    assert hit.pop("created").endswith("Z")
    assert hit.pop("url").endswith("/project/Brie.Knife/")
    assert hit == {
        "name": "Brie.Knife",
        "normalized": "brie-knife",
        "version": "1.0",
        "summary": "Cuts <soft> cheese",
        "downloads": 0,
        "matched": ["summary"],
        "marks": {"name": [], "summary": [[6, 10], [12, 18]]},
    }
    pythons = document.pop("pythons")
    assert pythons["3.12"] == 1
    assert "3.10" not in pythons
    assert document == {
        "query": {"q": "soft cheese", "c": ["Topic"], "python": "3.12", "wheels": True, "o": "relevance"},
        "total": 1,
        "more": False,
        "loose": False,
        "page": 1,
        "pages": 1,
        "counted": 1,
        "classifiers": {"Topic": 1, "Topic :: Security": 1},
        "wheels": 1,
        "near": [],
    }


async def test_a_new_release_is_found_at_once(new_index: Index) -> None:
    """What was published is found by the next question, though the answer to it was kept."""
    await until_kept(new_index, "/api/search?q=gouda")
    await until_kept(new_index, "/api/search/suggest?q=goud")
    await publish(new_index, "gouda", "A cheese")
    assert (await told(new_index, "/api/search?q=gouda"))["total"] == 1
    [suggestion] = (await told(new_index, "/api/search/suggest?q=GOUD"))["suggestions"]
    assert suggestion.pop("url").endswith("/project/gouda/")
    assert suggestion == {"name": "gouda", "summary": "A cheese"}
    assert (await told(new_index, "/api/search?q=gpuda"))["near"] == ["gouda"]


async def test_a_wheel_more(new_index: Index) -> None:
    """A wheel that follows its sdist is known as soon as it is there."""
    assert (await new_index.upload(sdist("Edam"), sdist_filename("Edam"), name="Edam")).status == 200
    assert (await told(new_index, "/api/search?q=edam&wheels=1"))["total"] == 0
    assert (await new_index.upload(wheel("Edam"), wheel_filename("Edam"), name="Edam")).status == 200
    assert (await told(new_index, "/api/search?q=edam&wheels=1"))["total"] == 1


async def test_nothing_typed(index: Index) -> None:
    """Who types nothing is suggested nothing."""
    for path in ("/api/search/suggest", "/api/search/suggest?q=", "/api/search/suggest?q=+-+"):
        assert (await told(index, path))["suggestions"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=" + "x" * (MOST_CHARACTERS + 1), "q"),
        ("q=" + "+".join("abcdefghijklmn"), "q"),
        ("q=x&o=sideways", "o"),
        ("q=x&page=0", "page"),
        ("q=x&page=51", "page"),
        ("q=x&page=many", "page"),
        ("q=x&python=4.1", "python"),
        ("q=x&wheels=perhaps", "wheels"),
        ("q=x&" + "&".join(f"c={number}" for number in range(11)), "c"),
        ("c=" + "x" * 201, "c"),
    ],
)
async def test_what_nobody_can_look_for(index: Index, query: str, field: str) -> None:
    """A refusal names the parameter at fault, in JSON, and nobody keeps it."""
    answer = await index.ask(f"/api/search?{query}")
    assert (answer.status, answer["Content-Type"]) == (400, "application/json")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Access-Control-Allow-Origin"] == "*"
    document = json.loads(answer.text)
    assert (document["field"], document["code"]) == (field, "400 Bad Request")
    assert document["message"]


async def test_too_long_to_complete(index: Index) -> None:
    """What is longer than any name is refused, too."""
    answer = await index.ask("/api/search/suggest?q=" + "x" * (MOST_CHARACTERS + 1))
    assert (answer.status, json.loads(answer.text)["field"]) == (400, "q")


@pytest.mark.parametrize("path", ["/api/search", "/api/search/suggest"])
async def test_other_origins(index: Index, path: str) -> None:
    """Pages of other origins may read it."""
    answer = await index.ask(f"{path}?q=x", [("Origin", "https://elsewhere.example")])
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert (await index.ask(path, method="OPTIONS")).status == 204


async def test_kept(index: Index) -> None:
    """The same question is answered out of memory, however it is asked."""
    await until_kept(index, "/api/search?q=kept+one&c=B&c=A")
    for same in ("x=y&c=A&q=kept+one&c=B", "c=B&c=A&q=+KEPT++one&page=1&o=relevance&wheels=0&c=A"):
        again = await index.ask(f"/api/search?{same}")
        assert (again.status, again["Cache-Status"]) == (200, "cheeseshop-l1; hit"), same
    for other in ("q=kept+one&c=A", "q=kept+one&c=A&c=B&page=2"):
        assert "hit" not in (await index.ask(f"/api/search?{other}"))["Cache-Status"]


def test_equal_questions() -> None:
    """A question has one spelling; one that cannot be asked stays as it is."""
    assert meant({"q": [" A  b "], "c": ["Z", "A", "Z"], "wheels": ["1"], "o": ["relevance"]}) == {
        "q": ["a b"],
        "c": ["A", "Z"],
        "wheels": ["1"],
    }
    assert meant({"q": ["A"], "o": ["x"]}) == {"q": ["A"], "o": ["x"]}


async def test_hostile_words(index: Index) -> None:
    """Words in the languages of queries and patterns are words."""
    for words in ("'", "a' | 'b", "100%", "a & !b", "\\", "(", "é ü", "a:*", "<->", "n:x"):
        assert (await told(index, f"/api/search?q={quote(words)}"))["page"] == 1
        assert "suggestions" in await told(index, f"/api/search/suggest?q={quote(words)}")
